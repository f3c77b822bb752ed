/** A streamed answer over HTTP, read and timed and nothing more: what any way to the engine is compared with. */
import { request as httpRequest } from 'node:http';

export interface BareTarget {
  readonly target: { readonly host: string; readonly port: number } | { readonly socketPath: string };
  readonly token: string;
}

export interface AnswerTiming {
  readonly firstTokenMs: number;
  readonly tokensPerSecond: number;
  readonly tokens: number;
}

/** Of an answer with its text: 0 where there was none. */
interface Seen {
  readonly startedMs: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly tokens: number;
}

export async function timeBareAnswer({ target, token }: BareTarget, request: object): Promise<AnswerTiming> {
  const seen = await new Promise<Seen>((resolve, reject) => {
    const body = JSON.stringify({ ...request, stream: true, stream_options: { include_usage: true } });
    const startedMs = performance.now();
    const outgoing = httpRequest({
      ...target,
      path: '/v1/chat/completions',
      method: 'POST',
      agent: false,
      headers: { authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body) },
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let firstMs = 0;
      let lastMs = 0;
      let tail = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        // Text, not the empty piece that opens every answer.
        if (/"(reasoning|content)": ?"[^"]/.test(piece)) {
          lastMs = performance.now();
          if (firstMs === 0) firstMs = lastMs;
        }
        tail = (tail + piece).slice(-4_000);
      });
      response.on('error', reject);
      response.on('end', () => {
        if (!tail.includes('[DONE]')) return reject(new Error(`an answer broke off: ${tail.slice(-300)}`));
        const tokens = Number(/"completion_tokens": ?(\d+)/.exec(tail)?.[1]);
        resolve({ startedMs, firstMs, lastMs, tokens });
      });
    });
    outgoing.end(body);
  });
  return answerTiming(seen);
}

/** From when it was asked to the first token, and the rate from then on. Throws where there is nothing to be timed. */
export function answerTiming({ startedMs, firstMs, lastMs, tokens }: Seen): AnswerTiming {
  if (firstMs === 0 || !(tokens > 1)) throw new Error('an answer without tokens cannot be timed');
  return { firstTokenMs: firstMs - startedMs, tokensPerSecond: ((tokens - 1) * 1_000) / (lastMs - firstMs), tokens };
}
