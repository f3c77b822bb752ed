/** Headroom's own JSON export, read as strictly as a stranger's: it may have been edited or made up. */
import * as v from 'valibot';
import { EFFORTS, MOST_CONTEXT_TOKENS } from '../../../preload/contract.ts';
import type { TransferredConversation } from '../transfer.ts';
import { ImportRefused } from './imported.ts';
import { plainText, timeOf, titleOf, wholeNumber } from './untrusted.ts';

const text = v.pipe(
  v.string(),
  v.check((value) => plainText(value) !== null, 'too long'),
  v.transform((value) => plainText(value) ?? ''),
);
const shortText = v.pipe(text, v.maxLength(200));
const id = v.pipe(v.string(), v.minLength(1), v.maxLength(200));
const time = v.pipe(
  v.number(),
  v.check((value) => timeOf(value) !== null || value === 0),
);
const count = v.pipe(
  v.number(),
  v.check((value) => wholeNumber(value) !== null),
);
const rate = v.nullable(v.number());
const where = v.picklist(['reasoning', 'answer']);
const statuses = v.variant('kind', [
  v.object({ kind: v.picklist(['complete', 'stopped']) }),
  v.object({ kind: v.literal('interrupted'), because: v.exactOptional(v.pipe(text, v.maxLength(2_000))) }),
  v.object({ kind: v.literal('length'), where }),
  v.object({ kind: v.literal('paused'), because: v.picklist(['repeating', 'long']), where }),
  v.object({
    kind: v.literal('failed'),
    error: v.object({
      code: v.pipe(
        v.picklist([
          'not-found',
          'no-model',
          'engine-failed',
          'engine-off',
          'context-full',
          'refused',
          'disconnected',
          'internal',
        ]),
      ),
      message: v.pipe(text, v.maxLength(2_000)),
      nextStep: v.pipe(text, v.maxLength(2_000)),
    }),
  }),
]);
const tokens = v.nullable(v.pipe(count, v.maxValue(MOST_CONTEXT_TOKENS)));
const share = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(2)));
const settings = v.partial(
  v.object({
    modelId: v.nullable(v.pipe(v.string(), v.maxLength(4_096))),
    effort: v.nullable(v.picklist(EFFORTS)),
    systemText: v.pipe(text, v.maxLength(100_000)),
    temperature: share,
    topP: share,
    topK: tokens,
    minP: share,
    maxAnswerTokens: tokens,
    thinkingTokens: tokens,
    contextTokens: tokens,
  }),
);
const message = v.object({
  id,
  parentId: v.nullable(id),
  role: v.picklist(['user', 'assistant']),
  createdAtMs: time,
  text,
  attachments: v.array(v.object({ name: shortText, language: v.nullable(v.pipe(text, v.maxLength(40))), text })),
  effort: v.nullable(v.picklist(EFFORTS)),
  model: v.nullable(shortText),
  reasoning: text,
  reasoningMs: v.nullable(v.pipe(v.number(), v.minValue(0))),
  status: v.nullable(statuses),
  usage: v.nullable(
    v.object({
      promptTokens: count,
      cachedTokens: count,
      completionTokens: count,
      reasoningTokens: count,
      decodeTokensPerSecond: rate,
      prefillTokensPerSecond: rate,
      firstTokenMs: rate,
    }),
  ),
  cut: v.nullable(
    v.variant('kind', [
      v.object({ kind: v.literal('trimmed') }),
      v.object({ kind: v.literal('summarised'), summary: text }),
    ]),
  ),
});
const conversation = v.object({
  id,
  title: v.string(),
  createdAtMs: time,
  updatedAtMs: time,
  pinnedAtMs: v.nullable(time),
  archivedAtMs: v.nullable(time),
  toldDate: v.nullable(v.pipe(v.string(), v.regex(/^\d{4}-\d{2}-\d{2}$/))),
  settings,
  leafId: v.nullable(id),
  messages: v.array(message),
});

/** Throws ImportRefused: our own files are right or they are damaged, there is nothing to make out of halves. */
export function headroomConversation(raw: unknown, index: number): TransferredConversation {
  const result = v.safeParse(conversation, raw, { abortEarly: true });
  if (!result.success) {
    const place = v.getDotPath(result.issues[0]);
    throw new ImportRefused(`Conversation ${index + 1} of the file is damaged${place === null ? '' : ` at ${place}`}.`);
  }
  const { output } = result;
  const known = new Set<string>();
  for (const { id: messageId, parentId } of output.messages) {
    if (known.has(messageId) || (parentId !== null && !known.has(parentId))) {
      throw new ImportRefused(`The messages of conversation ${index + 1} do not fit together.`);
    }
    known.add(messageId);
  }
  if (output.leafId !== null && !known.has(output.leafId)) {
    throw new ImportRefused(`The messages of conversation ${index + 1} do not fit together.`);
  }
  return {
    ...output,
    title: titleOf(output.title, 'Imported conversation'),
    settings: Object.fromEntries(Object.entries(output.settings).filter(([, value]) => value !== undefined)),
  };
}
