/** What a window gets to see of anything thrown in main. */
import { randomUUID } from 'node:crypto';
import type { AppError, ErrorCode } from '../../preload/contract.ts';
import { EngineError } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';

const engineCodes: Record<EngineError['code'], ErrorCode> = {
  aborted: 'refused',
  stopped: 'refused',
  off: 'engine-off',
  failed: 'engine-failed',
  disconnected: 'engine-failed',
  'bad-request': 'refused',
  protected: 'refused',
  'context-full': 'context-full',
};

/**
 * What a window may see of anything thrown. An unknown throw may hold paths or chat text, so the window gets only a
 * number under which `log` has the stack.
 */
export function appErrorOf(thrown: unknown, log: Log): AppError {
  if (thrown instanceof AppFault) return thrown.toAppError();
  if (thrown instanceof EngineError)
    return { code: engineCodes[thrown.code], message: thrown.message, nextStep: thrown.nextStep };
  const number = randomUUID().slice(0, 8);
  log('error', `fault ${number}: ${describe(thrown)}`);
  return {
    code: 'internal',
    message: `Something inside Headroom failed (fault ${number}).`,
    nextStep: 'Try again. If it happens again, look for this number in the log file.',
  };
}

function describe(thrown: unknown): string {
  try {
    return thrown instanceof Error ? (thrown.stack ?? `${thrown.name}: ${thrown.message}`) : String(thrown);
  } catch {
    return 'a thrown value that cannot be printed';
  }
}
