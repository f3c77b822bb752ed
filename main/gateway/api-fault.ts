/** Errors as programs that speak OpenAI's protocol expect them. */
import { appErrorOf } from '../host/app-error.ts';
import { ContextFull, EngineError } from '../engine/engine.ts';
import { AppFault } from '../fault.ts';
import type { Log } from '../log/log.ts';

type ApiErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'server_error';

export class ApiFault extends Error {
  readonly status: number;
  readonly code: string;
  /** The request's field that is wrong, as `messages.0.content`. */
  readonly param: string | null;

  constructor(status: number, code: string, message: string, param: string | null = null) {
    super(message);
    this.name = 'ApiFault';
    this.status = status;
    this.code = code;
    this.param = param;
  }
}

export interface ApiErrorBody {
  readonly error: {
    readonly message: string;
    readonly type: ApiErrorType;
    readonly param: string | null;
    readonly code: string;
  };
}

export function errorBody(fault: ApiFault): ApiErrorBody {
  return { error: { message: fault.message, type: typeOf(fault.status), param: fault.param, code: fault.code } };
}

function typeOf(status: number): ApiErrorType {
  if (status === 401) return 'authentication_error';
  if (status === 403 || status === 421) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 ? 'invalid_request_error' : 'server_error';
}

const engineFaults: Record<EngineError['code'], { readonly status: number; readonly code: string }> = {
  aborted: { status: 503, code: 'cancelled' },
  stopped: { status: 503, code: 'model_stopped' },
  off: { status: 503, code: 'model_off' },
  failed: { status: 500, code: 'model_failed' },
  disconnected: { status: 500, code: 'model_failed' },
  'bad-request': { status: 400, code: 'bad_request' },
  protected: { status: 503, code: 'memory_short' },
  'context-full': { status: 400, code: 'context_length_exceeded' },
};

/** Anything thrown while a request was served. What is unknown is logged under a number, never shown. */
export function apiFaultOf(thrown: unknown, log: Log): ApiFault {
  if (thrown instanceof ApiFault) return thrown;
  if (thrown instanceof ContextFull) {
    const { promptTokens, ceilingTokens } = thrown.numbers;
    // OpenAI's words: programs look for them to shorten a conversation by themselves.
    const message = `This model's maximum context length is ${ceilingTokens} tokens. However, your messages resulted in ${promptTokens} tokens.`;
    const { status, code } = engineFaults['context-full'];
    return new ApiFault(status, code, `${message} ${thrown.nextStep}`, 'messages');
  }
  if (thrown instanceof EngineError) {
    const { status, code } = engineFaults[thrown.code];
    return new ApiFault(status, code, sentence(thrown.message, thrown.nextStep));
  }
  if (thrown instanceof AppFault)
    return new ApiFault(503, thrown.code.replaceAll('-', '_'), sentence(thrown.message, thrown.nextStep));
  const unknown = appErrorOf(thrown, log);
  return new ApiFault(500, 'internal_error', sentence(unknown.message, unknown.nextStep));
}

/** Both in one line; causes that come from elsewhere do not always end as sentences do. */
function sentence(message: string, nextStep: string): string {
  if (nextStep === '') return message;
  return /[.!?]$/.test(message) ? `${message} ${nextStep}` : `${message}. ${nextStep}`;
}
