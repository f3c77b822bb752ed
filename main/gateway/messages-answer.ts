/** The answer as programs read it that speak Anthropic's Messages: blocks that begin, grow and end. */
import type { GenerationUsage } from '../engine/engine.ts';
import { type AnswerHead, type AnswerWriter, type Finish, type Frame, type Piece, timingsOf } from './answer-writer.ts';
import { type ApiFault, anthropicErrorBody } from './api-fault.ts';
import { sealed } from './sealed-reasoning.ts';

type Block =
  | { readonly type: 'thinking'; thinking: string; signature: string }
  | { readonly type: 'text'; text: string; readonly citations: null }
  | {
      readonly type: 'tool_use';
      readonly id: string;
      readonly name: string;
      readonly callIndex: number;
      input: string;
    };

/** Sealed: the caller wants no text to show, only what it hands back with the next request. */
export type PlaceOfThinking = 'shown' | 'sealed' | 'nowhere';

export class MessagesAnswer implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #thinking: PlaceOfThinking;
  readonly #blocks: Block[] = [];
  #isOpen = false;

  constructor(head: AnswerHead, { thinking }: { readonly thinking: PlaceOfThinking }) {
    this.#head = head;
    this.#thinking = thinking;
  }

  opening(readTokens: number): readonly Frame[] {
    const message = { ...this.#message(null), content: [], usage: { ...usageOf(null), input_tokens: readTokens } };
    return [frame('message_start', { message }), frame('ping', {})];
  }

  piece(piece: Piece): readonly Frame[] {
    if (piece.kind === 'reasoning' && this.#thinking === 'nowhere') return [];
    const frames: Frame[] = [];
    const last = this.#isOpen ? this.#blocks.at(-1) : undefined;
    if (last === undefined || !goesOn(last, piece)) frames.push(...this.#close(), ...this.#begin(piece));
    const index = this.#blocks.length - 1;
    const open = this.#blocks[index];
    if (open === undefined) return frames;
    const delta = grow(open, piece);
    const isShown = piece.kind !== 'reasoning' || this.#thinking === 'shown';
    if (delta !== null && isShown) frames.push(frame('content_block_delta', { index, delta }));
    return frames;
  }

  ending(finish: Finish): readonly Frame[] {
    return [
      ...this.#close(),
      frame('message_delta', {
        delta: { stop_reason: stopReason(finish), stop_sequence: finish.stopSequence },
        usage: usageOf(finish.usage),
        timings: timingsOf(finish),
      }),
      frame('message_stop', {}),
    ];
  }

  broken(fault: ApiFault): readonly Frame[] {
    return [{ event: 'error', data: anthropicErrorBody(fault) }];
  }

  whole(finish: Finish): object {
    this.#close();
    return { ...this.#message(finish), timings: timingsOf(finish) };
  }

  #begin(piece: Piece): Frame[] {
    const index = this.#blocks.length;
    this.#isOpen = true;
    switch (piece.kind) {
      case 'reasoning':
        this.#blocks.push({ type: 'thinking', thinking: '', signature: '' });
        break;
      case 'text':
        this.#blocks.push({ type: 'text', text: '', citations: null });
        break;
      case 'call':
        this.#blocks.push({
          type: 'tool_use',
          id: piece.begins?.id ?? `toolu-${this.#head.id}-${index}`,
          name: piece.begins?.name ?? '',
          callIndex: piece.index,
          input: '',
        });
    }
    const block = this.#blocks[index];
    return block === undefined
      ? []
      : [
          frame('content_block_start', {
            index,
            content_block: block.type === 'tool_use' ? { ...shown(block), input: {} } : { ...block },
          }),
        ];
  }

  #close(): Frame[] {
    if (!this.#isOpen) return [];
    this.#isOpen = false;
    const index = this.#blocks.length - 1;
    const stop = frame('content_block_stop', { index });
    const last = this.#blocks[index];
    if (last?.type !== 'thinking' || this.#thinking !== 'sealed') return [stop];
    last.signature = sealed(last.thinking);
    last.thinking = '';
    const delta = { type: 'signature_delta', signature: last.signature };
    return [frame('content_block_delta', { index, delta }), stop];
  }

  #message(finish: Finish | null) {
    return {
      id: `msg-${this.#head.id}`,
      type: 'message',
      role: 'assistant',
      model: this.#head.model,
      content: this.#blocks.map(shown),
      stop_reason: finish === null ? null : stopReason(finish),
      stop_sequence: finish?.stopSequence ?? null,
      usage: usageOf(finish?.usage ?? null),
    };
  }
}

const frame = (type: string, more: object): Frame => ({ event: type, data: { type, ...more } });

const goesOn = (block: Block, piece: Piece): boolean =>
  (block.type === 'thinking' && piece.kind === 'reasoning') ||
  (block.type === 'text' && piece.kind === 'text') ||
  (block.type === 'tool_use' && piece.kind === 'call' && block.callIndex === piece.index);

/** Null where nothing was added. */
function grow(block: Block, piece: Piece): object | null {
  if (block.type === 'thinking' && piece.kind === 'reasoning' && piece.text !== '') {
    block.thinking += piece.text;
    return { type: 'thinking_delta', thinking: piece.text };
  }
  if (block.type === 'text' && piece.kind === 'text' && piece.text !== '') {
    block.text += piece.text;
    return { type: 'text_delta', text: piece.text };
  }
  if (block.type === 'tool_use' && piece.kind === 'call' && piece.argumentsText !== '') {
    block.input += piece.argumentsText;
    return { type: 'input_json_delta', partial_json: piece.argumentsText };
  }
  return null;
}

function shown(block: Block): object {
  if (block.type !== 'tool_use') return { ...block };
  const { id, name, input } = block;
  return { type: 'tool_use', id, name, input: inputOf(input) };
}

/** A model may write arguments that are no JSON; the protocol has no place for them but the object itself. */
function inputOf(text: string): object {
  if (text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : { value };
  } catch {
    return { text };
  }
}

const reasons = { stop: 'end_turn', length: 'max_tokens', tool_calls: 'tool_use' } as const;
const stopReason = ({ reason, stopSequence }: Finish) => (stopSequence === null ? reasons[reason] : 'stop_sequence');

/** What was found in the cache is not counted as input again. */
const usageOf = (usage: GenerationUsage | null) => ({
  input_tokens: usage === null ? 0 : usage.promptTokens - usage.cachedTokens,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: usage?.cachedTokens ?? 0,
  output_tokens: usage?.completionTokens ?? 0,
});
