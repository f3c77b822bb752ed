/**
 * A model from the local hub: the app's downloader against `hf download` of the hub's own tool, over plain HTTP, into
 * the same disk. Each arm checks what it promises to check: the app every checksum, the tool the sizes. The time of
 * starting a program is in neither.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { type Bench, BenchUnavailable, median } from './figure.ts';

const MB = 1_000_000;
const SHARDS = [400 * MB, 300 * MB, 300 * MB];
const TOTAL_MB = SHARDS.reduce((sum, bytes) => sum + bytes, 0) / MB;
const ROUNDS = 3;
const REPOSITORY = 'owner/model';

const root = join(import.meta.dirname, '..', '..');
const python = join(root, 'python-runtime', '.venv', 'bin', 'python');

/** What `hf download` does, timed inside: the same files, `max_workers` as it comes. */
const HF_DOWNLOAD = `
import json, sys, time
from huggingface_hub import snapshot_download
from huggingface_hub.utils import disable_progress_bars
disable_progress_bars()
began = time.monotonic()
snapshot_download(sys.argv[1], cache_dir=sys.argv[2], ignore_patterns=["*.py", "*.bin", ".gitattributes"])
print(json.dumps({"seconds": time.monotonic() - began}))`;

interface Taken {
  readonly seconds: number;
  readonly idleKiB: number;
  readonly peakKiB: number;
}

async function startHub(): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const program = join(root, 'test', 'hub', 'start.ts');
  const child = spawn(process.execPath, [program, '--noise', SHARDS.join(',')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  return { child, url: (JSON.parse(line) as { url: string }).url };
}

const bench: Bench = async () => {
  if (!existsSync('/proc/self/status')) throw new BenchUnavailable('memory is read from /proc');
  if (!existsSync(python)) throw new BenchUnavailable('no Python environment');
  const folder = mkdtempSync(join(tmpdir(), 'headroom-download-'));
  const hub = await startHub();
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    HF_ENDPOINT: hub.url,
    HF_HUB_DISABLE_XET: '1',
    HF_HUB_DISABLE_TELEMETRY: '1',
  };
  const run = async (program: string, args: readonly string[]): Promise<Taken> => {
    const cache = join(folder, 'cache');
    try {
      const { stdout } = await promisify(execFile)(program, [...args, cache], { env });
      return JSON.parse(stdout) as Taken;
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  };
  const ours: Taken[] = [];
  const theirs: Taken[] = [];
  try {
    for (let round = 0; round < ROUNDS; round += 1) {
      ours.push(await run(process.execPath, [join(import.meta.dirname, 'download-process.ts'), hub.url, REPOSITORY]));
      theirs.push(await run(python, ['-c', HF_DOWNLOAD, REPOSITORY]));
    }
  } finally {
    hub.child.stdin?.end();
    await once(hub.child, 'close');
    rmSync(folder, { recursive: true, force: true });
  }
  const speed = (arms: readonly Taken[]): number => TOTAL_MB / median(arms.map((arm) => arm.seconds));
  return [
    {
      name: 'download throughput',
      unit: 'MB/s',
      value: speed(ours),
      baseline: { what: 'hf download', value: speed(theirs) },
      compare: 'ratio',
      aim: { at: 'least', value: 0.95 },
    },
    {
      name: 'memory while downloading, at its most',
      unit: 'MiB',
      value: Math.max(...ours.map((arm) => arm.peakKiB)) / 1_024,
      baseline: { what: 'the same process idle', value: median(ours.map((arm) => arm.idleKiB)) / 1_024 },
      compare: 'difference',
      aim: { at: 'most', value: 60 },
    },
  ];
};

export default bench;
