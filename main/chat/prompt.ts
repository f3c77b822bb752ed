/** What the model is sent of a conversation. Pure. */
import type { ContextCut, Message } from '../../preload/contract.ts';
import type { EngineMessage } from '../engine/engine.ts';

export interface AttachedText {
  readonly name: string;
  readonly language: string | null;
  readonly text: string;
}

export interface PromptParts {
  /** One path, oldest first. */
  readonly path: readonly Message[];
  readonly systemText: string;
  readonly cut: ContextCut | null;
  attached(messageId: string): readonly AttachedText[];
}

/**
 * The path in the engine's form, without what was cut off. Answers without text (stopped while thinking, failed) say
 * nothing and are left out. Reasoning is left out too: the template drops it from earlier turns.
 */
export function promptOf({ path, systemText, cut, attached }: PromptParts): EngineMessage[] {
  const first = cut === null ? 0 : path.findIndex(({ id }) => id === cut.afterMessageId) + 1;
  const told = [systemText.trim(), cut?.kind === 'summarised' ? summaryText(cut.summary) : '']
    .filter((text) => text !== '')
    .join('\n\n');
  const said = path.slice(first).flatMap((message): EngineMessage[] => {
    if (message.role === 'user')
      return [{ role: 'user', content: withAttachments(message.text, attached(message.id)) }];
    return message.text === '' ? [] : [{ role: 'assistant', content: message.text }];
  });
  return told === '' ? said : [{ role: 'system', content: told }, ...said];
}

/** The message, then each text under its name, fenced so that no line of it ends the fence. */
export function withAttachments(text: string, attached: readonly AttachedText[]): string {
  const blocks = attached.map(({ name, language, text: content }) => {
    const longest = Math.max(2, ...[...content.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
    const fence = '`'.repeat(longest + 1);
    return `${name}:\n${fence}${language ?? ''}\n${content.replace(/\n$/, '')}\n${fence}`;
  });
  return [...(text.trim() === '' ? [] : [text]), ...blocks].join('\n\n');
}

const summaryText = (summary: string): string => `What was said before, in short:\n${summary.trim()}`;
