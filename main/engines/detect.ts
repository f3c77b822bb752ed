/** The engines that others made, as they are on this machine: built once, found anew whenever the list is looked at. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Clock, systemClock } from '../engine/clock.ts';
import { type Spawner, terminalSpawner } from '../engine/spawner.ts';
import type { Commands } from '../memory/commands.ts';
import type { EnginePlaces } from './engine-places.ts';
import { createGgufShelf } from './llama-cpp/gguf-files.ts';
import { type LlamaCppPorts, createLlamaCpp } from './llama-cpp/llama-cpp.ts';
import { createLmStudio } from './lm-studio/lm-studio.ts';
import { createOllama } from './ollama/ollama.ts';
import type { OutsideEngine } from './outside-engine.ts';
import { linuxProcessMemory, macProcessMemory } from './process-memory.ts';
import { type Environment, findProgram } from './programs.ts';

export interface DetectPorts {
  readonly isMac: boolean;
  readonly commands: Commands;
  readonly places: EnginePlaces;
  readonly environment?: Environment;
  readonly homeFolder?: string;
  /** The Hugging Face cache, where GGUF files may lie. */
  readonly cacheFolder: () => string;
  readonly fetchGguf: LlamaCppPorts['fetch'];
  readonly spawner?: Spawner;
  readonly clock?: Clock;
}

const SHORT_COMMAND_MS = 20_000;
const MAX_OUTPUT_BYTES = 4 * 1_048_576;
/** What a child of ours may see of our environment. */
const INHERITED = ['HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'LC_CTYPE', 'PATH'] as const;

export function outsideEngines(ports: DetectPorts): readonly OutsideEngine[] {
  const { places, environment = process.env, homeFolder = homedir(), clock = systemClock } = ports;
  const processMemory = ports.isMac ? macProcessMemory(ports.commands) : linuxProcessMemory;
  const childEnvironment = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      INHERITED.flatMap((name) => {
        const value = environment[name];
        return value === undefined || value === '' ? [] : [[name, value] as const];
      }),
    );
  const shelf = createGgufShelf(() => [
    ...[places.modelsFolder()].filter((folder) => folder !== null),
    ...ggufFolders(ports.isMac, homeFolder, ports.cacheFolder()),
  ]);
  /** Installed, although its server does not answer. */
  const isInstalled = (program: string, app: string): boolean =>
    findProgram(program, environment) !== null ||
    (ports.isMac &&
      [`/Applications/${app}`, join(homeFolder, 'Applications', app)].some((folder) => existsSync(folder)));
  return [
    createLlamaCpp({
      found: () => places.llamaServer(),
      unusable: () => places.unusable('llama.cpp'),
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
    createOllama({
      server: () => places.server('ollama'),
      unusable: () => places.unusable('ollama'),
      isInstalled: () => isInstalled('ollama', 'Ollama.app'),
      processMemory,
      clock,
    }),
    createLmStudio({
      server: () => places.server('lm-studio'),
      unusable: () => places.unusable('lm-studio'),
      isInstalled: () => isInstalled('lms', 'LM Studio.app') || existsSync(join(homeFolder, '.lmstudio/bin/lms')),
      processMemory,
    }),
  ];
}

/** llama.cpp's own downloads, LM Studio's, and the Hugging Face cache. */
const ggufFolders = (isMac: boolean, homeFolder: string, cacheFolder: string): readonly string[] => [
  isMac ? join(homeFolder, 'Library/Caches/llama.cpp') : join(homeFolder, '.cache/llama.cpp'),
  join(homeFolder, '.lmstudio/models'),
  cacheFolder,
];
