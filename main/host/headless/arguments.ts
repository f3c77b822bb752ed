/** The headless host's command line. Pure. */
import { parseArgs } from 'node:util';
import { portFrom } from '../../loopback.ts';

export interface HeadlessArguments {
  readonly modelFolder: string | null;
  /** 0: any free port. */
  readonly port: number;
  /** Null: the usual one. */
  readonly endpointPort: number | null;
  readonly home: string | null;
}

export type ParsedArguments =
  | { readonly kind: 'run'; readonly arguments: HeadlessArguments }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly message: string };

export const usage = `Usage: npm start -- --headless [options]

  --model <folder>         run the MLX model in this folder
  --port <number>          port of the window (default: any free one)
  --endpoint-port <number> port of the OpenAI-compatible endpoint
  --home <folder>          where conversations and settings live (default: HEADROOM_HOME, else the usual place)
  --help                   show this
`;

export function parseHeadlessArguments(args: readonly string[]): ParsedArguments {
  try {
    const { values } = parseArgs({
      args: [...args],
      strict: true,
      allowPositionals: false,
      options: {
        model: { type: 'string' },
        port: { type: 'string' },
        'endpoint-port': { type: 'string' },
        home: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    for (const name of ['model', 'home'] as const)
      if (values[name] === '') return { kind: 'wrong', message: `--${name} needs a folder.` };
    for (const name of ['port', 'endpoint-port'] as const)
      if (values[name] !== undefined && portFrom(values[name]) === null)
        return { kind: 'wrong', message: `--${name} needs a number from 0 to 65535, not "${values[name]}".` };
    return {
      kind: 'run',
      arguments: {
        modelFolder: values.model ?? null,
        port: portFrom(values.port) ?? 0,
        endpointPort: portFrom(values['endpoint-port']),
        home: values.home ?? null,
      },
    };
  } catch (error) {
    // parseArgs explains at length how to escape a dash; the first sentence says what is wrong.
    const [first = ''] = (error as Error).message.split('. ', 1);
    return { kind: 'wrong', message: first.endsWith('.') ? first : `${first}.` };
  }
}
