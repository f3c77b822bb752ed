/** A conversation's title by the model: what it is asked, and what is taken of what it says. Pure. */
import type { EngineMessage } from '../engine/engine.ts';

const MOST_OF_EACH = 1_500;

export const titleQuestion = (question: string, answer: string): EngineMessage[] => [
  {
    role: 'system',
    content:
      'You name conversations. Reply with a title of two to six words in the language of the user, nothing else.',
  },
  {
    role: 'user',
    content: `User: ${question.slice(0, MOST_OF_EACH)}\n\nAnswer: ${answer.slice(0, MOST_OF_EACH)}\n\nTitle:`,
  },
];

const MOST_CHARACTERS = 60;
const MOST_WORDS = 10;

/** Null when it is no title: the first line of the conversation serves better. */
export function titleFromModel(said: string): string | null {
  const line = said.trim().split('\n', 1)[0] ?? '';
  const title = line
    .replace(/^(title|titel|titre|título)\s*:\s*/iu, '')
    .replace(/^[\s#*_"'“”„«»`-]+/u, '')
    .replace(/[\s*_"'“”„«»`.]+$/u, '')
    .replace(/\s+/gu, ' ');
  const isFine =
    /[\p{L}\p{N}]{2}/u.test(title) && title.length <= MOST_CHARACTERS && title.split(' ').length <= MOST_WORDS;
  return isFine ? title : null;
}
