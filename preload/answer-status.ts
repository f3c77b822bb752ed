/** Apart from the contract, whose schemas a window does not need. */
import type { AnswerStatus } from './contract.ts';

/** Whether an answer has come to its end, however it ended. */
export const isFinal = (status: AnswerStatus): boolean => {
  switch (status.kind) {
    case 'queued':
    case 'loading':
    case 'prefill':
    case 'thinking':
    case 'answering':
      return false;
    case 'complete':
    case 'stopped':
    case 'interrupted':
    case 'length':
    case 'paused':
    case 'failed':
      return true;
  }
};
