import type { AppError, ErrorCode } from '../preload/contract.ts';

/** An error a person may read: code, one plain sentence on the cause, the next step. Anything else thrown is a bug. */
export class AppFault extends Error {
  readonly code: ErrorCode;
  readonly nextStep: string;

  constructor(code: ErrorCode, message: string, nextStep: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AppFault';
    this.code = code;
    this.nextStep = nextStep;
  }

  toAppError(): AppError {
    return { code: this.code, message: this.message, nextStep: this.nextStep };
  }
}
