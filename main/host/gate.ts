/**
 * The only way from a window into main. In this order: trusted sender, known route, valid input, handler, envelope.
 * It never throws and never rejects, whatever it is given.
 */
import * as v from 'valibot';
import {
  type ErrorCode,
  type Handlers,
  MAX_MESSAGE_LENGTH,
  type Result,
  type RouteName,
  routes,
} from '../../preload/contract.ts';
import type { Log } from '../log/log.ts';
import { appErrorOf } from './app-error.ts';
import { shapeFault } from '../plain-data.ts';

/** Who called, as the transport judged it. The gate never sees the transport's own event or socket. */
export type Sender = { readonly trusted: true } | { readonly trusted: false; readonly reason: string };

export type Gate = (sender: Sender, message: unknown) => Promise<Result<unknown>>;

const limits = { depth: 8, nodes: 1_000, textLength: MAX_MESSAGE_LENGTH + 10_000 };
const messageKeys: readonly string[] = ['id', 'route', 'input'];

export function createGate(ports: { readonly handlers: Handlers; readonly log: Log }): Gate {
  const { handlers, log } = ports;
  return async (sender, message) => {
    try {
      if (!sender.trusted) {
        log('warn', `request refused: ${sender.reason}`);
        return refusal('untrusted-sender', 'This window may not talk to Headroom.', 'Open Headroom again.');
      }
      const opened = openMessage(message);
      if (!opened.ok) return opened;
      const { route, input } = opened.value;
      const parsed = v.safeParse(routes[route].input, input, { abortEarly: true });
      if (!parsed.success) {
        const issue = parsed.issues[0];
        return refusal('invalid-input', inputFault(route, issue), 'Change the input and try again.');
      }
      // The schema has just proved what the map's type says; TypeScript cannot follow one key through both.
      const handler = handlers[route] as (input: unknown) => unknown;
      return { ok: true, value: await handler(parsed.output) };
    } catch (thrown) {
      return { ok: false, error: appErrorOf(thrown, log) };
    }
  };
}

/** Shape and route of a message, apart from what any handler wants. */
function openMessage(message: unknown): Result<{ route: RouteName; input: unknown }> {
  const fault = shapeFault(message, limits);
  if (fault !== null) return refusal('invalid-input', `The request ${fault}.`, 'Reload the window.');
  if (typeof message !== 'object' || message === null || Array.isArray(message))
    return refusal('invalid-input', 'The request is not an object.', 'Reload the window.');
  if (Object.keys(message).some((key) => !messageKeys.includes(key)))
    return refusal('invalid-input', 'The request has parts that are not known.', 'Reload the window.');
  const fields = message as { route?: unknown; input?: unknown };
  const name = Object.hasOwn(fields, 'route') ? fields.route : undefined;
  if (typeof name !== 'string' || !isRoute(name))
    return refusal('unknown-route', 'Headroom does not know this request.', 'Reload the window.');
  return { ok: true, value: { route: name, input: Object.hasOwn(fields, 'input') ? fields.input : undefined } };
}

// `hasOwn`, not `in`: 'toString' and '__proto__' are in every object.
const isRoute = (name: string): name is RouteName => Object.hasOwn(routes, name);

/** Schemas written for people have their own sentence ("The message is empty."); the others get the place. */
function inputFault(route: RouteName, issue: v.BaseIssue<unknown>): string {
  if (issue.message.endsWith('.')) return issue.message;
  const place = v.getDotPath(issue);
  return place === null ? `The input of ${route} is not valid.` : `The input of ${route} is not valid at ${place}.`;
}

const refusal = (code: ErrorCode, message: string, nextStep: string): Result<never> => ({
  ok: false,
  error: { code, message, nextStep },
});
