import type { ConversationSummary } from '../../preload/contract.ts';

export interface DayGroup {
  readonly title: string;
  readonly conversations: readonly ConversationSummary[];
}

const startOfDay = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);

/** Title of the day `ms` lies in, seen from `nowMs`; the reader's own time zone. */
export function dayTitle(ms: number, nowMs: number): string {
  // Rounding absorbs the hour that daylight saving adds or takes.
  const days = Math.round((startOfDay(nowMs) - startOfDay(ms)) / 86_400_000);
  if (days <= 0) return 'Today';
  if (days === 1) return 'Yesterday';
  const date = new Date(ms);
  if (days < 7) return date.toLocaleDateString('en-US', { weekday: 'long' });
  const sameYear = date.getFullYear() === new Date(nowMs).getFullYear();
  return date.toLocaleDateString('en-US', { month: 'long', ...(sameYear ? {} : { year: 'numeric' }) });
}

/** Newest first, one group a day, older than a week by month. */
export function groupByDay(conversations: readonly ConversationSummary[], nowMs: number): readonly DayGroup[] {
  const groups: { title: string; conversations: ConversationSummary[] }[] = [];
  for (const conversation of [...conversations].sort((a, b) => b.updatedAtMs - a.updatedAtMs)) {
    const title = dayTitle(conversation.updatedAtMs, nowMs);
    const last = groups.at(-1);
    if (last?.title === title) last.conversations.push(conversation);
    else groups.push({ title, conversations: [conversation] });
  }
  return groups;
}
