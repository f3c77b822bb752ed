/**
 * Where other engines are: what the environment says comes first, then what the user set here, then the usual places.
 * An app started from the Finder has no environment of a shell's. Tokens have files of their own that only the user may
 * read; they are never sent to a window and never logged.
 */
import { chmodSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import type { OutsideEngineSettings } from '../../preload/contract.ts';
import { type EngineAddress, engineAddress } from '../../preload/engine-address.ts';
import { readIfThere, readKeptAside, writeDurably } from '../durable-file.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';
import { folderThere } from '../models/folder-access.ts';
import { parsedJson } from '../plain-data.ts';
import { ENGINE_NAMES, OUTSIDE_KINDS, type OutsideKind } from './outside-engine.ts';
import { type Environment, findProgram, isProgram } from './programs.ts';
import type { EngineServer, Trouble } from './talk.ts';

interface PlaceChange {
  readonly isOn?: boolean | undefined;
  readonly program?: string | null | undefined;
  readonly address?: string | null | undefined;
  readonly modelsFolder?: string | null | undefined;
  readonly token?: string | null | undefined;
  /** The user was told that chats leave their network. */
  readonly evenIfElsewhere?: boolean | undefined;
}

export interface EnginePlaces {
  isOn(kind: OutsideKind): boolean;
  /** Null where the environment names an address that is none, or one that nobody has agreed to. */
  server(kind: OutsideKind): EngineServer | null;
  /** A program to start, or a server that runs already. */
  llamaServer(): { readonly program: string } | { readonly server: EngineServer } | null;
  /** Why what was named cannot be used; null where nothing stands against it. */
  unusable(kind: OutsideKind): Trouble | null;
  /** For GGUF files, beside the usual ones. */
  modelsFolder(): string | null;
  settings(kind: OutsideKind): OutsideEngineSettings;
  /** Throws AppFault (refused). */
  update(kind: OutsideKind, change: PlaceChange): void;
}

interface PlacePorts {
  readonly dataFolder: string;
  readonly environment: Environment;
  readonly onDamage: (movedTo: string) => void;
  readonly log: Log;
}

/** What each listens at when nobody says otherwise. */
const USUAL_PORTS: Readonly<Record<OutsideKind, number>> = { 'llama.cpp': 8_080, ollama: 11_434, 'lm-studio': 1_234 };
/** `LLAMA_SERVER` may name a program, too. */
const ADDRESS_VARIABLES: Readonly<Record<OutsideKind, string>> = {
  'llama.cpp': 'LLAMA_SERVER',
  ollama: 'OLLAMA_HOST',
  'lm-studio': 'LM_STUDIO_HOST',
};
const TOKEN_VARIABLES: Readonly<Record<OutsideKind, string | null>> = {
  'llama.cpp': null,
  ollama: null,
  'lm-studio': 'LM_API_TOKEN',
};
const MODELS_VARIABLE = 'LLAMA_MODELS';

const path = v.fallback(v.nullable(v.pipe(v.string(), v.regex(/^\/[^\0]{0,4095}$/))), null);
const place = v.object({
  isOn: v.fallback(v.boolean(), true),
  program: path,
  address: v.fallback(v.nullable(v.pipe(v.string(), v.maxLength(2_000))), null),
  modelsFolder: path,
  mayBeElsewhere: v.fallback(v.boolean(), false),
});
type Place = v.InferOutput<typeof place>;
const UNTOUCHED: Place = { isOn: true, program: null, address: null, modelsFolder: null, mayBeElsewhere: false };
const kept = v.fallback(place, UNTOUCHED);
const stored = v.object({ 'llama.cpp': kept, ollama: kept, 'lm-studio': kept });
type Stored = v.InferOutput<typeof stored>;

export function openEnginePlaces(ports: PlacePorts): EnginePlaces {
  const { environment } = ports;
  const file = join(ports.dataFolder, 'engines.json');
  const tokenFile = (kind: OutsideKind): string => join(ports.dataFolder, `${kind}-token`);
  let places: Stored = readKeptAside(file, (text) => parsedJson(stored, text), ports.onDamage) ?? {
    'llama.cpp': UNTOUCHED,
    ollama: UNTOUCHED,
    'lm-studio': UNTOUCHED,
  };
  const ownTokens = new Map<OutsideKind, string>();
  for (const kind of OUTSIDE_KINDS) {
    const token = cleanToken(readIfThere(tokenFile(kind)) ?? '');
    if (token === null) continue;
    chmodSync(tokenFile(kind), 0o600);
    ownTokens.set(kind, token);
  }

  const named = (variable: string | null): string | null => {
    const value = variable === null ? undefined : environment[variable];
    return value === undefined || value.trim() === '' ? null : value.trim();
  };
  const tokenOf = (kind: OutsideKind): string | null => named(TOKEN_VARIABLES[kind]) ?? ownTokens.get(kind) ?? null;

  function serverAt(kind: OutsideKind, at: EngineAddress): EngineServer {
    const token = tokenOf(kind);
    return {
      base: at.base,
      host: at.host,
      reach: at.reach,
      ...(token === null ? {} : { headers: { authorization: `Bearer ${token}` } }),
    };
  }

  /** The address that was named, wherever; null for none. Without a name: `otherwise`. */
  function addressed(kind: OutsideKind, otherwise: string | null): EngineServer | null {
    const given = named(ADDRESS_VARIABLES[kind]);
    const text = given ?? places[kind].address ?? otherwise;
    const at = text === null ? null : engineAddress(text, USUAL_PORTS[kind]);
    if (at === null) return null;
    // Whoever set a variable long ago was not told where chats go.
    if (at.reach === 'elsewhere' && (given !== null || !places[kind].mayBeElsewhere)) return null;
    return serverAt(kind, at);
  }

  const server = (kind: OutsideKind): EngineServer | null => addressed(kind, '127.0.0.1');

  return {
    isOn: (kind) => places[kind].isOn,
    server,

    llamaServer() {
      const given = named(ADDRESS_VARIABLES['llama.cpp']);
      const { program, address } = places['llama.cpp'];
      const file = given === null ? (address === null ? program : null) : given.startsWith('/') ? given : null;
      if (file !== null) return isProgram(file) ? { program: file } : null;
      if (given !== null || address !== null) {
        const at = addressed('llama.cpp', null);
        return at === null ? null : { server: at };
      }
      const found = findProgram('llama-server', environment);
      return found === null ? null : { program: found };
    },

    unusable(kind) {
      const given = named(ADDRESS_VARIABLES[kind]);
      const text = given ?? places[kind].address ?? (kind === 'llama.cpp' ? places[kind].program : null);
      if (text === null) return null;
      const who = given === null ? 'The setting' : ADDRESS_VARIABLES[kind];
      if (kind === 'llama.cpp' && text.startsWith('/')) {
        if (isProgram(text)) return null;
        return { message: `${who} names ${text}, and there is no such program.`, nextStep: 'Choose another one.' };
      }
      const at = engineAddress(text, USUAL_PORTS[kind]);
      if (at === null) {
        const nextStep = `Write it as 127.0.0.1:${USUAL_PORTS[kind]}.`;
        return { message: `${who} names ${text}, which is no address.`, nextStep };
      }
      if (addressed(kind, null) !== null) return null;
      return {
        message: `${who} names ${at.host}, which is not in your network: chats would leave this computer.`,
        nextStep: `If you want that, remove ${ADDRESS_VARIABLES[kind]} and write the address here.`,
      };
    },

    modelsFolder: () => named(MODELS_VARIABLE) ?? places['llama.cpp'].modelsFolder,

    settings(kind) {
      const { isOn, program, address, modelsFolder } = places[kind];
      const hasToken = ownTokens.has(kind);
      const variables = [
        ADDRESS_VARIABLES[kind],
        TOKEN_VARIABLES[kind],
        kind === 'llama.cpp' ? MODELS_VARIABLE : null,
      ].filter((variable) => variable !== null && named(variable) !== null);
      return {
        kind,
        name: ENGINE_NAMES[kind],
        isOn,
        program,
        address,
        modelsFolder,
        usualPort: USUAL_PORTS[kind],
        hasToken,
        fromEnvironment: variables.filter((variable) => variable !== null),
      };
    },

    update(kind, change) {
      const before = places[kind];
      const address = change.address === undefined ? before.address : checkedAddress(kind, change.address);
      const isElsewhere = address !== null && engineAddress(address, USUAL_PORTS[kind])?.reach === 'elsewhere';
      const mayBeElsewhere =
        change.address === undefined ? before.mayBeElsewhere : isElsewhere && change.evenIfElsewhere === true;
      if (isElsewhere && !mayBeElsewhere) throw leavesTheNetwork(kind, address);
      const next: Place = {
        isOn: change.isOn ?? before.isOn,
        program: change.program === undefined ? before.program : checkedProgram(change.program),
        address,
        modelsFolder: change.modelsFolder === undefined ? before.modelsFolder : folderThere(change.modelsFolder),
        mayBeElsewhere,
      };
      const token = typeof change.token === 'string' ? checkedToken(change.token) : change.token;
      const all: Stored = { ...places, [kind]: next };
      writeDurably(file, `${JSON.stringify(all, null, 2)}\n`);
      places = all;
      if (token === undefined) return;
      if (token === null) {
        rmSync(tokenFile(kind), { force: true });
        ownTokens.delete(kind);
      } else {
        writeDurably(tokenFile(kind), `${token}\n`);
        ownTokens.set(kind, token);
      }
      ports.log('info', `engines: the token for ${ENGINE_NAMES[kind]} was ${token === null ? 'removed' : 'set'}`);
    },
  };
}

function checkedAddress(kind: OutsideKind, text: string | null): string | null {
  if (text === null || text.trim() === '') return null;
  if (engineAddress(text, USUAL_PORTS[kind]) !== null) return text.trim();
  throw new AppFault('refused', 'This is no address.', `Write it as 127.0.0.1:${USUAL_PORTS[kind]}.`);
}

const leavesTheNetwork = (kind: OutsideKind, address: string): AppFault =>
  new AppFault(
    'refused',
    `${engineAddress(address, USUAL_PORTS[kind])?.host ?? address} is not in your network: every chat with it would leave this computer.`,
    'Use it only if you trust whoever runs it.',
  );

function checkedProgram(file: string | null): string | null {
  if (file === null || isProgram(file)) return file;
  throw new AppFault('refused', `There is no program ${file}.`, 'Choose the file llama-server itself.');
}

/** Header values hold visible ASCII only. Null for none. */
function cleanToken(text: string): string | null {
  const token = text.trim();
  return /^[\x21-\x7e]{1,500}$/.test(token) ? token : null;
}

function checkedToken(text: string): string {
  const token = cleanToken(text);
  if (token !== null) return token;
  throw new AppFault('refused', 'This is no token.', 'Copy it again: it has no spaces.');
}
