import { describe, expect, it } from 'vitest';
import { buildIn, cpuExpertLayers, flagsIn, llamaArguments } from './llama-flags.ts';
import { notLoaded } from './llama-cpp.ts';

/** Lines of a current `llama-server --help`, and of one from before `--cache-ram` and `--no-ui`. */
const HELP = `
-c,    --ctx-size N                     size of the prompt context (default: 0)
-np,   --parallel N                     number of server slots (default: -1, -1 = auto)
-ub,   --ubatch-size N                  physical maximum batch size (default: 512)
-ngl,  --gpu-layers, --n-gpu-layers N   max. number of layers to store in VRAM
-ncmoe, --n-cpu-moe N                   keep the Mixture of Experts (MoE) weights of the first N layers in the
-cram, --cache-ram N                    set the maximum cache size in MiB (default: 8192, -1 - no limit, 0 -
--context-shift, --no-context-shift     whether to use context shift on infinite text generation
--ui,  --webui, --no-ui, --no-webui     whether to enable the Web UI (default: enabled)
--jinja, --no-jinja                     whether to use jinja template engine for chat (default: enabled)
--offline                               Offline mode: forces use of cache, prevents network access
-fit,  --fit [on|off]                   whether to adjust unset arguments to fit in device memory
`;
const OLD_HELP = `
-np,   --parallel N                     number of parallel sequences to decode (default: 1)
-ngl,  --gpu-layers, --n-gpu-layers N   number of layers to store in VRAM
--no-webui                              Disable the Web UI (default: enabled)
--jinja                                 use jinja template for chat (default: disabled)
`;
const plan = { file: '/m/a.gguf', port: 5_000, contextTokens: 8_192, cpuExpertLayers: 0 };

it.each([
  ['version: 6140 (228f724d)\nbuilt with Apple clang', '6140'],
  ['version: 0.6.0-dev (build 11434, commit unknown)\nbuilt with GNU 13.3.0', '11434'],
  ['version: 0.6.0-dev (build 0, commit unknown)', null],
  ['b11434-unknown', '11434'],
  ['b0-unknown', null],
  ['', null],
])('reads the build of %j', (said, build) => expect(buildIn(said)).toBe(build));

describe('how llama-server is started', () => {
  it('one request at a time, a bounded prompt cache, this machine only, nothing fetched, nothing cut', () => {
    expect(llamaArguments(plan, flagsIn(HELP)).join(' ')).toBe(
      '--model /m/a.gguf --host 127.0.0.1 --port 5000 --ctx-size 8192 --parallel 1 --jinja --ubatch-size 512 ' +
        '--n-gpu-layers 999 --cache-ram 256 --no-context-shift --offline --no-ui --fit off',
    );
  });

  it('with experts on the CPU where the GPU may not hold them', () => {
    expect(llamaArguments({ ...plan, cpuExpertLayers: 3 }, flagsIn(HELP)).join(' ')).toContain('--n-cpu-moe 3');
  });

  it('without flags that an older one does not know', () => {
    expect(llamaArguments({ ...plan, cpuExpertLayers: 3 }, flagsIn(OLD_HELP)).join(' ')).toBe(
      '--model /m/a.gguf --host 127.0.0.1 --port 5000 --ctx-size 8192 --parallel 1 --jinja --n-gpu-layers 999 --no-webui',
    );
  });

  it('keeps every expert with the CPU where nothing would do, and none where nothing limits the GPU', () => {
    const model = { weightsBytes: 100, expertBytes: [30, 30] };
    expect(cpuExpertLayers(model, 10, null)).toBe(0);
    expect(cpuExpertLayers(model, 10, 110)).toBe(0);
    expect(cpuExpertLayers(model, 10, 109)).toBe(1);
    expect(cpuExpertLayers(model, 10, 79)).toBe(2);
    expect(cpuExpertLayers(model, 10, 20)).toBe(2);
  });
});

it.each([
  [['ggml_metal: error: failed to allocate buffer, size = 11000 MiB'], 'There is not enough memory'],
  [["llama_model_load: error loading model: unknown model architecture: 'x'"], 'does not know this kind of model'],
  [['llama_model_load: error loading model: tensor data is not within the file bounds'], 'cannot read this file'],
  [['something else'], 'ended while it was loading'],
])('tells from %j that it: %s', (tail, words) => {
  expect(notLoaded(tail).message).toContain(words);
});
