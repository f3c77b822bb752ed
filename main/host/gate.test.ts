import { describe, expect, expectTypeOf, it } from 'vitest';
import { type Handlers, type ParsedInput, type RouteName, routes } from '../../preload/contract.ts';
import { EngineError } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import { createGate } from './gate.ts';

const stranger = { trusted: false, reason: 'a frame inside a frame' } as const;
const window = { trusted: true } as const;

function gateWith(stopAnswer: () => unknown = () => null) {
  const calls: string[] = [];
  const lines: string[] = [];
  const handlers = Object.fromEntries(
    Object.keys(routes).map((name) => [
      name,
      (input: unknown) => {
        calls.push(`${name} ${JSON.stringify(input)}`);
        return name === 'chat.stop' ? stopAnswer() : null;
      },
    ]),
  ) as unknown as Handlers;
  const gate = createGate({ handlers, log: (level, message) => lines.push(`${level} ${message}`) });
  return { gate, calls, lines };
}

const messageId = '01234567-89ab-cdef-0123-456789abcdef';
const stop = { id: 1, route: 'chat.stop', input: { messageId } };

describe('gate', () => {
  it('lets a trusted, known, valid request through and wraps what the handler returns', async () => {
    const { gate, calls } = gateWith(() => 'value');
    expect(await gate(window, stop)).toEqual({ ok: true, value: 'value' });
    expect(calls).toEqual([`chat.stop {"messageId":"${messageId}"}`]);
  });

  it('looks at the sender first: a stranger learns nothing about routes', async () => {
    const { gate, calls, lines } = gateWith();
    const known = await gate(stranger, stop);
    const unknown = await gate(stranger, { route: 'nope' });
    expect(known).toMatchObject({ ok: false, error: { code: 'untrusted-sender' } });
    expect(unknown).toEqual(known);
    expect(calls).toEqual([]);
    expect(lines[0]).toContain('a frame inside a frame');
  });

  it.each([
    'nope',
    '',
    '__proto__',
    'toString',
    'constructor',
    'hasOwnProperty',
    'app.state ',
    42,
    null,
    ['app.state'],
  ])('does not know the route %j', async (route) => {
    const { gate, calls } = gateWith();
    expect(await gate(window, { route, input: null })).toMatchObject({ ok: false, error: { code: 'unknown-route' } });
    expect(calls).toEqual([]);
  });

  it('does not take a route from a prototype', async () => {
    const { gate, calls } = gateWith();
    expect(await gate(window, JSON.parse('{"__proto__":{"route":"engine.stop"}}'))).toMatchObject({ ok: false });
    expect(await gate(window, Object.create({ route: 'engine.stop' }))).toMatchObject({ ok: false });
    expect(calls).toEqual([]);
  });

  const cycle: Record<string, unknown> = { route: 'app.state' };
  cycle['input'] = cycle;
  const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown;
  const sparse: unknown[] = [];
  sparse.length = 4_294_967_295;
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a string', 'app.state'],
    ['an array', ['app.state']],
    ['a Map', new Map([['route', 'app.state']])],
    ['a Date inside', { route: 'app.state', input: new Date(0) }],
    ['a cycle', cycle],
    ['a deep value', { route: 'app.state', input: deep }],
    ['a sparse array', { route: 'app.state', input: sparse }],
    ['a wide value', { route: 'app.state', input: Array.from({ length: 100_000 }, () => 0) }],
    ['a huge string', { route: 'log.report', input: { message: 'x'.repeat(5_000_000) } }],
    ['huge keys', { route: 'app.state', ['x'.repeat(5_000_000)]: 1 }],
    [
      '__proto__ in the input',
      { route: 'chat.stop', input: JSON.parse(`{"__proto__":{},"messageId":"${messageId}"}`) },
    ],
    ['NaN', { route: 'app.state', input: Number.NaN }],
    ['a bigint', { route: 'app.state', input: 1n }],
    ['a function', { route: 'app.state', input: () => null }],
    ['an unknown part', { route: 'app.state', input: null, sender: 'main' }],
    ['an extra input key', { ...stop, input: { messageId, extra: 1 } }],
    ['a missing input', { route: 'chat.stop' }],
    [
      'a throwing getter',
      Object.defineProperty({ route: 'app.state' }, 'input', {
        enumerable: true,
        get() {
          throw new Error('boo');
        },
      }),
    ],
  ])('refuses %s', async (_name, message) => {
    const { gate, calls } = gateWith();
    const result = await gate(window, message);
    expect(result).toMatchObject({ ok: false, error: { code: 'invalid-input' } });
    expect(calls).toEqual([]);
  });

  it('passes on a sentence written for people', async () => {
    const { gate } = gateWith();
    const result = await gate(window, {
      route: 'chat.send',
      input: { conversationId: null, text: '  ', effort: 'low' },
    });
    expect(result).toMatchObject({ ok: false, error: { message: 'The message is empty.' } });
  });

  it('passes AppFault and EngineError, hides everything else behind a logged number', async () => {
    const fault = gateWith(() => {
      throw new AppFault('not-found', 'No such message.', 'Open the conversation again.');
    });
    expect(await fault.gate(window, stop)).toEqual({
      ok: false,
      error: { code: 'not-found', message: 'No such message.', nextStep: 'Open the conversation again.' },
    });
    const engine = gateWith(() => Promise.reject(new EngineError('off', 'The model is off.', 'Turn it on.')));
    expect(await engine.gate(window, stop)).toEqual({
      ok: false,
      error: { code: 'engine-off', message: 'The model is off.', nextStep: 'Turn it on.' },
    });
    const unknown = gateWith(() => {
      throw new Error('secret path /home/x');
    });
    const result = await unknown.gate(window, stop);
    expect(JSON.stringify(result)).not.toContain('secret');
    const number = /fault ([0-9a-f]{8})/.exec(JSON.stringify(result))?.[1];
    expect(number).toBeDefined();
    expect(unknown.lines.join()).toContain(`fault ${number}`);
    expect(unknown.lines.join()).toContain('secret path');
  });

  it('survives a handler that throws something unprintable', async () => {
    const { gate } = gateWith(() => {
      throw Object.create(null);
    });
    expect(await gate(window, stop)).toMatchObject({ ok: false, error: { code: 'internal' } });
  });
});

describe('the contract, at compile time', () => {
  const complete: Handlers = {} as Handlers;

  it('wants a handler for every route and no other', () => {
    expectTypeOf<keyof Handlers>().toEqualTypeOf<RouteName>();
    const { 'window.hide': _hide, ...missing } = complete;
    // @ts-expect-error a handler is missing
    const incomplete: Handlers = missing;
    const extra: Handlers = {
      ...complete,
      // @ts-expect-error there is no such route
      'window.explode': () => null,
    };
    expect([incomplete, extra]).toHaveLength(2);
  });

  it('types what a handler gets and gives', () => {
    expectTypeOf<ParsedInput<'chat.stop'>>().toEqualTypeOf<{ messageId: string }>();
    const wrongInput: Handlers = {
      ...complete,
      // @ts-expect-error messageId is a string
      'chat.stop': (input: { messageId: number }) => (input.messageId === 1 ? null : null),
    };
    const wrongOutput: Handlers = {
      ...complete,
      // @ts-expect-error chat.stop answers null
      'chat.stop': () => 'stopped',
    };
    expect([wrongInput, wrongOutput]).toHaveLength(2);
  });
});
