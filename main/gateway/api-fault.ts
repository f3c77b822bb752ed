/** Errors as programs expect them that speak OpenAI's protocol, or Anthropic's. */
import type { FailureCause } from '../../preload/contract.ts';
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
  /** When asking again may help; null where only another request does. */
  readonly retryAfterSeconds: number | null;
  /** Anthropic's words where programs look for them; null where the message does. */
  readonly inMessagesWords: string | null;

  constructor(status: number, code: string, message: string, param: string | null = null, more: FaultMore = {}) {
    super(message);
    this.name = 'ApiFault';
    this.status = status;
    this.code = code;
    this.param = param;
    this.retryAfterSeconds = more.retryAfterSeconds ?? null;
    this.inMessagesWords = more.inMessagesWords ?? null;
  }
}

interface FaultMore {
  readonly retryAfterSeconds?: number;
  readonly inMessagesWords?: string;
}

const messagesTypes: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
};

/** As programs expect it that speak Anthropic's Messages. `code` is ours: their protocol has none. */
export function anthropicErrorBody(fault: ApiFault): object {
  const type = messagesTypes[fault.status] ?? (fault.status < 500 ? 'invalid_request_error' : 'api_error');
  return { type: 'error', error: { type, message: fault.inMessagesWords ?? fault.message, code: fault.code } };
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

const RETRY_SECONDS = 10;
/** The engine says first which field it means. */
const NAMED_FIELD = /^(logit_bias|tool_choice|response_format|stop|tools|messages)\b/;
/** How long a person may take to see a notification and decide. */
const PERMISSION_RETRY_SECONDS = 60;

/** A load that failed: what only a click in the window can change is no fault of the model. */
export function loadFault(cause: FailureCause): ApiFault | null {
  const message = sentence(cause.message, cause.nextStep);
  if (NEED_A_CLICK.has(cause.code))
    return new ApiFault(
      503,
      'needs_permission',
      `${message} Headroom has asked its user; repeat the request afterwards.`,
      null,
      { retryAfterSeconds: PERMISSION_RETRY_SECONDS },
    );
  if (SHORT_OF_MEMORY.has(cause.code))
    return new ApiFault(503, 'memory_short', message, null, { retryAfterSeconds: PERMISSION_RETRY_SECONDS });
  return null;
}

const NEED_A_CLICK: ReadonlySet<string> = new Set(['wired-limit-needed', 'wired-limit-being-changed']);
const SHORT_OF_MEMORY: ReadonlySet<string> = new Set(['preflight', 'memory-too-small', 'wired-left']);

/** Anything thrown while a request was served. What is unknown is logged under a number, never shown. */
export function apiFaultOf(thrown: unknown, log: Log): ApiFault {
  if (thrown instanceof ApiFault) return thrown;
  if (thrown instanceof ContextFull) {
    const { promptTokens, ceilingTokens } = thrown.numbers;
    // OpenAI's words: programs look for them to shorten a conversation by themselves.
    const message = `This model's maximum context length is ${ceilingTokens} tokens. However, your messages resulted in ${promptTokens} tokens.`;
    const { status, code } = engineFaults['context-full'];
    return new ApiFault(status, code, `${message} ${thrown.nextStep}`, 'messages', {
      inMessagesWords: `prompt is too long: ${promptTokens} tokens > ${ceilingTokens} maximum. ${thrown.nextStep}`,
    });
  }
  if (thrown instanceof EngineError) {
    const { status, code } = engineFaults[thrown.code];
    const retry = status === 503 ? { retryAfterSeconds: RETRY_SECONDS } : {};
    const param = thrown.code === 'bad-request' ? (NAMED_FIELD.exec(thrown.message)?.[0] ?? null) : null;
    return new ApiFault(status, code, sentence(thrown.message, thrown.nextStep), param, retry);
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
