/** The engines that others made, as they are on this machine: built once, found anew whenever the list is looked at. */
import { execFile } from 'node:child_process';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../engine/clock.ts';
import { type Spawner, terminalSpawner } from '../engine/spawner.ts';
import type { Commands } from '../memory/commands.ts';
import { createGgufShelf } from './llama-cpp/gguf-files.ts';
import { type LlamaCppPorts, createLlamaCpp } from './llama-cpp/llama-cpp.ts';
import { createLmStudio } from './lm-studio/lm-studio.ts';
import { createOllama } from './ollama/ollama.ts';
import type { OutsideEngine } from './outside-engine.ts';
import { linuxProcessMemory, macProcessMemory } from './process-memory.ts';
import { type Environment, findProgram, isProgram, localAddress } from './programs.ts';

export interface DetectPorts {
  readonly isMac: boolean;
  readonly commands: Commands;
  readonly environment?: Environment;
  readonly homeFolder?: string;
  /** The Hugging Face cache, where GGUF files may lie. */
  readonly cacheFolder: () => string;
  readonly fetchGguf: LlamaCppPorts['fetch'];
  readonly spawner?: Spawner;
  readonly clock?: Clock;
}

const OLLAMA_PORT = 11_434;
const LM_STUDIO_PORT = 1_234;
const SHORT_COMMAND_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1_048_576;
/** What a child of ours may see of our environment. */
const INHERITED = ['HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE', 'PATH'] as const;

export function outsideEngines(ports: DetectPorts): readonly OutsideEngine[] {
  const { environment = process.env, homeFolder = homedir(), clock = systemClock } = ports;
  const processMemory = ports.isMac ? macProcessMemory(ports.commands) : linuxProcessMemory;
  const childEnvironment = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      INHERITED.flatMap((name) => {
        const value = environment[name];
        return value === undefined || value === '' ? [] : [[name, value] as const];
      }),
    );
  const shelf = createGgufShelf(() => ggufFolders(ports.isMac, homeFolder, ports.cacheFolder(), environment));
  return [
    createLlamaCpp({
      found: () => findLlamaServer(environment),
      files: () => shelf.list(),
      fetch: ports.fetchGguf,
      spawner: ports.spawner ?? terminalSpawner,
      ask: (program, argument) =>
        new Promise((resolve) => {
          const settings = { timeout: SHORT_COMMAND_MS, maxBuffer: MAX_OUTPUT_BYTES, env: childEnvironment() };
          execFile(program, [argument], settings, (error, stdout, stderr) => {
            resolve(error === null ? stdout + stderr : null);
          });
        }),
      processMemory,
      environment: childEnvironment,
      clock,
    }),
    createOllama({ address: localAddress(environment['OLLAMA_HOST'], OLLAMA_PORT), processMemory, clock }),
    createLmStudio({
      address: localAddress(environment['LM_STUDIO_HOST'], LM_STUDIO_PORT),
      token: environment['LM_API_TOKEN'] ?? null,
      processMemory,
    }),
  ];
}

/** `LLAMA_SERVER`: a program, or the address of a server that runs already. Else the usual places. */
export function findLlamaServer(environment: Environment): { program: string } | { address: string } | null {
  const named = environment['LLAMA_SERVER'];
  if (named !== undefined && named !== '') {
    if (named.startsWith('/')) return isProgram(named) ? { program: named } : null;
    const address = localAddress(named, LLAMA_PORT);
    return address === null ? null : { address };
  }
  const program = findProgram('llama-server', environment);
  return program === null ? null : { program };
}

/** llama.cpp's own. */
const LLAMA_PORT = 8_080;

/** llama.cpp's own downloads, LM Studio's, and the Hugging Face cache. `LLAMA_MODELS`: a folder of the user's. */
function ggufFolders(
  isMac: boolean,
  homeFolder: string,
  cacheFolder: string,
  environment: Environment,
): readonly string[] {
  const own = environment['LLAMA_MODELS'];
  return [
    ...(own === undefined || own === '' ? [] : [own]),
    isMac ? join(homeFolder, 'Library/Caches/llama.cpp') : join(homeFolder, '.cache/llama.cpp'),
    join(homeFolder, '.lmstudio/models'),
    cacheFolder,
  ];
}
