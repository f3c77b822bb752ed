/**
 * HTTP with another engine's server on this machine. Cancelling is closing the connection. What comes in is parsed with
 * a schema by whoever asked for it.
 */
import * as v from 'valibot';
import { EngineError } from '../engine/engine.ts';

/** Longest line or event: one token's text, or a list of models. UTF-16 units. */
const MAX_PIECE_LENGTH = 8_000_000;

export interface Server {
  /** `http://127.0.0.1:11434`. */
  readonly base: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A server of somebody else's, and whose memory its models take. */
export interface EngineServer extends Server {
  readonly host: string;
  readonly reach: 'this-computer' | 'private-network' | 'elsewhere';
}

/** Words for what cannot be done: the cause and the next step. */
export interface Trouble {
  readonly message: string;
  readonly nextStep: string;
}

/** The server understood and refused, in its own words. */
export class Refused extends Error {
  readonly status: number;
  readonly body: unknown;

  constructor(status: number, body: unknown) {
    super(wordsOf(body) ?? `status ${status}`);
    this.status = status;
    this.body = body;
  }
}

/** `{"error": "…"}` of Ollama, `{"error": {"message": "…"}}` of the others. */
const errorSchema = v.object({ error: v.union([v.string(), v.object({ message: v.string() })]) });

function wordsOf(body: unknown): string | null {
  const parsed = v.safeParse(errorSchema, body);
  if (!parsed.success) return null;
  const { error } = parsed.output;
  return typeof error === 'string' ? error : error.message;
}

async function open(server: Server, path: string, body: unknown, signal: AbortSignal): Promise<Response> {
  const response = await fetch(server.base + path, {
    ...(body === null ? { method: 'GET' } : { method: 'POST', body: JSON.stringify(body) }),
    headers: { 'content-type': 'application/json', ...server.headers },
    signal,
    redirect: 'error',
  });
  if (response.ok) return response;
  throw new Refused(response.status, jsonOrNull(await response.text()));
}

/** `body: null` for GET. Throws Refused, or what fetch and the schema throw. */
export async function askJson<S extends v.GenericSchema>(
  server: Server,
  path: string,
  body: unknown,
  schema: S,
  signal: AbortSignal,
): Promise<v.InferOutput<S>> {
  const text = await (await open(server, path, body, signal)).text();
  return v.parse(schema, JSON.parse(text));
}

/** The lines of a streamed answer, without their ends; empty ones are left out. */
export async function* askLines(
  server: Server,
  path: string,
  body: unknown,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const response = await open(server, path, body, signal);
  if (response.body === null) return;
  const decoder = new TextDecoder();
  const reader = response.body.getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      rest += done ? decoder.decode() : decoder.decode(value, { stream: true });
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      if (rest.length > MAX_PIECE_LENGTH) throw new Error('a line without end');
      for (const line of lines) if (line.trim() !== '') yield line.replace(/\r$/, '');
      if (done) break;
    }
    if (rest.trim() !== '') yield rest;
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

export function jsonOrNull(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null;
  }
}

/** What went wrong on the way, in words. `engineName` as people call it. */
export function talkFault(error: unknown, engineName: string): EngineError {
  if (error instanceof EngineError) return error;
  if (error instanceof Refused) {
    return error.status < 500
      ? new EngineError('bad-request', `${engineName} refused: ${error.message}`, 'Change the request.')
      : new EngineError('failed', `${engineName} failed: ${error.message}`, `Look at ${engineName}, then try again.`);
  }
  if (error instanceof v.ValiError || error instanceof SyntaxError) {
    return new EngineError('failed', `${engineName} said something unexpected.`, `Update ${engineName}.`);
  }
  return new EngineError('disconnected', `${engineName} does not answer.`, `Start ${engineName}, then try again.`);
}

/** Why a server was not found, for whoever set its address. `start`: how to get it to answer. */
export function notFound(error: unknown, engineName: string, server: Server, start: string): Trouble {
  if (error instanceof Refused && (error.status === 401 || error.status === 403)) {
    return server.headers === undefined
      ? { message: `${engineName} at ${server.base} wants a token.`, nextStep: 'Write its token here.' }
      : { message: `${engineName} at ${server.base} does not take this token.`, nextStep: 'Copy its token again.' };
  }
  if (error instanceof Refused || error instanceof v.ValiError || error instanceof SyntaxError) {
    return {
      message: `Something answers at ${server.base}, but it is not ${engineName}.`,
      nextStep: 'Look at the address and its port.',
    };
  }
  return { message: `Nobody answers at ${server.base}.`, nextStep: start };
}

/** What this engine cannot do is said by name, never passed over. */
export function refuseUnable(engineName: string, wishes: Readonly<Record<string, boolean>>): void {
  const [wish] = Object.entries(wishes).find(([, isAsked]) => isAsked) ?? [];
  if (wish === undefined) return;
  throw new EngineError(
    'bad-request',
    `${engineName} cannot do this here: ${wish}.`,
    'Leave it out, or use a model of Headroom’s own engine.',
  );
}
