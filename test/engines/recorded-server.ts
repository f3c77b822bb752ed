/** A server that says what a real one was heard to say (`record.mjs`), and remembers what it was asked. */
import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeServer, listenOnLoopback } from '../../main/loopback.ts';

interface Exchange {
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly status: number;
  readonly text: string;
}

export function recorded(engine: string, name: string): Exchange {
  const file = join(import.meta.dirname, 'recordings', `${engine}.json`);
  const { exchanges } = JSON.parse(readFileSync(file, 'utf8')) as { exchanges: Exchange[] };
  const found = exchanges.find((each) => each.name === name);
  if (found === undefined) throw new Error(`nothing was recorded of ${engine} as ${name}`);
  return found;
}

interface Asked {
  readonly method: string;
  readonly path: string;
  readonly body: Record<string, unknown>;
  /** The connection was closed before the answer was complete. */
  wasCut: boolean;
}

interface Answer {
  readonly status?: number;
  readonly text: string;
  readonly cutAfter?: number;
  readonly hangs?: boolean;
}

export interface RecordedServer {
  readonly base: string;
  readonly asked: readonly Asked[];
  /** From now on this path answers so, once where another answer comes afterwards; `cutAfter`: breaks off after so many characters; `hangs`: goes on for ever. */
  answer(path: string, answer: Answer, afterwards?: Answer): void;
  end(): Promise<void>;
}

export async function startRecordedServer(exchanges: readonly Exchange[]): Promise<RecordedServer> {
  const answers = new Map<string, readonly [Answer, ...Answer[]]>(
    exchanges.map(({ path, status, text }) => [path, [{ status, text }]]),
  );
  const asked: Asked[] = [];
  const server = createServer((request, response) => void serve(request, response));

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let text = '';
    for await (const piece of request) text += String(piece);
    const path = request.url ?? '';
    const entry: Asked = {
      method: request.method ?? '',
      path,
      body: text === '' ? {} : (JSON.parse(text) as Record<string, unknown>),
      wasCut: false,
    };
    asked.push(entry);
    response.on('close', () => (entry.wasCut = !response.writableFinished));
    const [answer, ...afterwards] = answers.get(path) ?? [];
    const [next] = afterwards;
    if (next !== undefined) answers.set(path, [next]);
    response.writeHead(answer?.status ?? (answer === undefined ? 404 : 200));
    if (answer === undefined) return void response.end('{"error":"not found"}');
    const whole = answer.cutAfter === undefined ? answer.text : answer.text.slice(0, answer.cutAfter);
    // In pieces that keep to no boundary, as networks do.
    for (let at = 0; at < whole.length; at += 97) {
      response.write(whole.slice(at, at + 97));
      await sleep(0);
    }
    if (answer.hangs === true) return;
    if (answer.cutAfter === undefined) response.end();
    else response.destroy();
  }

  const port = await listenOnLoopback(server, 0);
  return {
    base: `http://127.0.0.1:${port}`,
    asked,
    answer: (path, answer, afterwards) =>
      void answers.set(path, afterwards === undefined ? [answer] : [answer, afterwards]),
    end: () => closeServer(server, 100),
  };
}
