import type { ImportReport } from '../../preload/contract.ts';
import { count } from '../ui/numbers.ts';

const FROM: Readonly<Record<ImportReport['from'], string>> = {
  headroom: 'Headroom',
  chatgpt: 'ChatGPT',
  'open-webui': 'Open WebUI',
};

const plural = (number: number, one: string): string => `${count(number)} ${one}${number === 1 ? '' : 's'}`;

/** "12 conversations and 340 messages from ChatGPT". */
export const broughtWords = ({ from, conversations, messages }: ImportReport): string =>
  conversations === 0
    ? `Nothing new from ${FROM[from]}`
    : `${plural(conversations, 'conversation')} and ${plural(messages, 'message')} from ${FROM[from]}`;

/** What an earlier import had brought; null where there was none. */
export const knownWords = ({ known }: Pick<ImportReport, 'known'>): string | null =>
  known === 0 ? null : `${plural(known, 'conversation')} ${known === 1 ? 'was' : 'were'} here already.`;
