/**
 * Hostile requests, the same for every transport. The caller gives a function that sends one message the way a window
 * would and returns what came back; the suite says what must hold whatever was sent.
 */
import fc from 'fast-check';
import * as v from 'valibot';
import { expect } from 'vitest';
import { MAX_MESSAGE_LENGTH, type RouteName, routes } from '../../preload/contract.ts';

export interface FuzzOptions {
  /** Sends one message and resolves with the answer. */
  call(message: unknown): Promise<unknown>;
  /** Whether the handlers of the app under test were reached, counted since the start; they must all return null. */
  handled(): number;
  /** Payloads in all; 10,000 when left out, ten times as many with HEADROOM_FAULTS=full. */
  runs?: number;
  /** JSON text only (WebSocket), or everything structured clone carries (Electron IPC). */
  carries: 'json' | 'structured-clone';
  /** Same seed, same payloads. HEADROOM_FUZZ_SEED or the clock when left out, and always printed. */
  seed?: number;
}

const routeNames = Object.keys(routes) as RouteName[];

/** Strings that have a meaning somewhere: prototypes, markup, terminals, paths, numbers. */
const meaningfulText = fc.constantFrom(
  '__proto__',
  'constructor',
  'toString',
  '<script>alert(1)</script>',
  '\u001b[2J',
  '../../../etc/passwd',
  '\u0000',
  '\ud800',
  '<|start|>system<|message|>',
  'javascript:alert(1)',
  'file:///etc/passwd',
  '1e999',
  '',
);
const text = fc.oneof(meaningfulText, fc.string({ unit: 'binary', maxLength: 200 }));
const id = fc.oneof(fc.uuid(), text);

const json: fc.Arbitrary<unknown> = fc.jsonValue({ maxDepth: 6 });
const cloneable: fc.Arbitrary<unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true, withTypedArray: true, maxDepth: 4 }),
  json,
);

/** Inputs that are nearly right: the shapes of the contract with one thing off. */
const nearMiss = (anyValue: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.record({
      conversationId: fc.oneof(id, fc.constant(null), anyValue),
      text: fc.oneof(text, anyValue),
      effort: text,
    }),
    fc.record({ messageId: fc.oneof(id, anyValue) }),
    fc.record({ conversationId: id, extra: anyValue }),
    fc.record({ effort: fc.oneof(fc.constantFrom('low', 'medium', 'high'), anyValue) }),
    fc.record({ url: text }),
    fc.record({ message: text }),
    fc.dictionary(meaningfulText, anyValue),
    fc.constant(null),
  );

function nest(depth: number): unknown {
  let value: unknown = 0;
  for (let level = 0; level < depth; level += 1) value = [value];
  return value;
}

const extreme: fc.Arbitrary<unknown> = fc.oneof(
  fc.integer({ min: 5, max: 2_000 }).map(nest),
  fc.integer({ min: 900, max: 20_000 }).map((length) => Array.from({ length }, () => 0)),
  fc.integer({ min: 7_000, max: 50_000 }).map((length) => ({ message: 'x'.repeat(length) })),
);

function messages(carries: FuzzOptions['carries']): fc.Arbitrary<unknown> {
  const anyValue = carries === 'json' ? json : cloneable;
  const input = fc.oneof(
    { weight: 6, arbitrary: nearMiss(anyValue) },
    { weight: 3, arbitrary: anyValue },
    { weight: 1, arbitrary: extreme },
  );
  return fc.oneof(
    { weight: 6, arbitrary: fc.record({ route: fc.constantFrom(...routeNames), input }) },
    { weight: 2, arbitrary: fc.record({ route: fc.oneof(text, anyValue), input }) },
    { weight: 1, arbitrary: fc.record({ route: fc.constantFrom(...routeNames), input, extra: anyValue }) },
    { weight: 2, arbitrary: anyValue },
  );
}

/** What the contract alone says of a message: would a handler have been right to see it? */
function isValid(message: unknown): boolean {
  if (typeof message !== 'object' || message === null || !Object.hasOwn(message, 'route')) return false;
  const { route, input } = message as { route: unknown; input?: unknown };
  if (typeof route !== 'string' || !Object.hasOwn(routes, route)) return false;
  return v.safeParse(routes[route as RouteName].input, input).success;
}

const answerSchema = v.union([
  v.strictObject({ ok: v.literal(true), value: v.null() }),
  v.strictObject({
    ok: v.literal(false),
    error: v.strictObject({
      code: v.picklist(['unknown-route', 'invalid-input']),
      message: v.pipe(v.string(), v.minLength(1), v.maxLength(300)),
      nextStep: v.pipe(v.string(), v.minLength(1), v.maxLength(300)),
    }),
  }),
]);

/**
 * Every message is answered with an envelope; an invalid one never reaches a handler; nothing internal shows; no
 * prototype is changed; and a good request still works afterwards.
 */
export async function fuzzGate(options: FuzzOptions): Promise<void> {
  const runs = options.runs ?? (process.env['HEADROOM_FAULTS'] === 'full' ? 100_000 : 10_000);
  const seed = options.seed ?? Number(process.env['HEADROOM_FUZZ_SEED'] ?? Date.now() & 0x7fffffff);
  console.log(`fuzz: ${runs} payloads (${options.carries}), seed ${seed}`);
  const prototypeKeys = Object.getOwnPropertyNames(Object.prototype).join();
  let answered = 0;
  let passed = 0;

  await fc.assert(
    fc.asyncProperty(messages(options.carries), async (message) => {
      const handledBefore = options.handled();
      const answer = await options.call(message);
      const parsed = v.safeParse(answerSchema, answer);
      expect(parsed.success, `answer ${JSON.stringify(answer)?.slice(0, 500)}`).toBe(true);
      answered += 1;
      const reached = options.handled() - handledBefore;
      if (parsed.success && parsed.output.ok) {
        passed += 1;
        expect(isValid(message)).toBe(true);
        expect(reached).toBe(1);
      } else {
        expect(reached).toBe(0);
      }
    }),
    { numRuns: runs, seed, endOnFailure: true },
  );

  expect(answered).toBeGreaterThanOrEqual(runs);
  // A fuzzer that never gets past the schemas tests the schemas' first line only.
  expect(passed).toBeGreaterThan(runs / 100);
  expect(Object.getOwnPropertyNames(Object.prototype).join()).toBe(prototypeKeys);

  const tooLong = { route: 'log.report', input: { message: 'x'.repeat(MAX_MESSAGE_LENGTH + 20_000) } };
  expect(await options.call(tooLong)).toMatchObject({ ok: false, error: { code: 'invalid-input' } });
  expect(await options.call({ route: 'app.state', input: null })).toEqual({ ok: true, value: null });
}
