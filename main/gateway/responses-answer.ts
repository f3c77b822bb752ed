/** The answer as programs read it that speak OpenAI's Responses: items that begin, grow and end, each event numbered. */
import type { Effort } from '../../preload/contract.ts';
import { type AnswerHead, type AnswerWriter, type Finish, type Frame, type Piece, timingsOf } from './answer-writer.ts';
import type { ApiFault } from './api-fault.ts';
import { inputOfArguments, type ToolIdentity, type ToolsForEngine } from './responses-tools.ts';
import { sealed } from './sealed-reasoning.ts';

/** What the response repeats of the request. */
export interface ResponseEcho {
  readonly instructions: string | null;
  readonly maxOutputTokens: number | null;
  readonly temperature: number | null;
  readonly topP: number | null;
  readonly tools: Pick<ToolsForEngine, 'given' | 'identityOf'>;
  readonly toolChoice: unknown;
  readonly effort: Effort;
  readonly format: object;
  /** The caller keeps the reasoning for the next request in `encrypted_content`. */
  readonly sealsReasoning: boolean;
}

type OpenItem =
  | { readonly kind: 'reasoning'; readonly id: string; text: string }
  | { readonly kind: 'text'; readonly id: string; text: string }
  | {
      readonly kind: 'call';
      readonly id: string;
      readonly index: number;
      readonly callId: string;
      readonly tool: ToolIdentity;
      text: string;
    };

export class ResponseAnswer implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #echo: ResponseEcho;
  readonly #done: object[] = [];
  #open: OpenItem | null = null;
  #number = 0;

  constructor(head: AnswerHead, echo: ResponseEcho) {
    this.#head = head;
    this.#echo = echo;
  }

  opening(): readonly Frame[] {
    const response = this.#response('in_progress', null);
    return [this.#frame('response.created', { response }), this.#frame('response.in_progress', { response })];
  }

  piece(piece: Piece): readonly Frame[] {
    const frames: Frame[] = [];
    const open = this.#open;
    const goesOn =
      open !== null &&
      open.kind === piece.kind &&
      (open.kind !== 'call' || (piece.kind === 'call' && open.index === piece.index));
    if (!goesOn) frames.push(...this.#close(), ...this.#begin(piece));
    const item = this.#open;
    const added = piece.kind === 'call' ? piece.argumentsText : piece.text;
    if (item === null || added === '') return frames;
    item.text += added;
    const at = { item_id: item.id, output_index: this.#done.length };
    switch (item.kind) {
      case 'reasoning':
        return [...frames, this.#frame('response.reasoning_text.delta', { ...at, content_index: 0, delta: added })];
      case 'text':
        return [
          ...frames,
          this.#frame('response.output_text.delta', { ...at, content_index: 0, delta: added, logprobs: [] }),
        ];
      case 'call':
        // A custom tool's input is inside the arguments: it is known when they are whole.
        return item.tool.kind === 'custom'
          ? frames
          : [...frames, this.#frame('response.function_call_arguments.delta', { ...at, delta: added })];
    }
  }

  ending(finish: Finish): readonly Frame[] {
    const closing = this.#close();
    const status = finish.reason === 'length' ? 'incomplete' : 'completed';
    return [...closing, this.#frame(`response.${status}`, { response: this.#response(status, finish) })];
  }

  broken(fault: ApiFault): readonly Frame[] {
    const error = { code: fault.code, message: fault.message };
    return [
      this.#frame('error', { ...error, param: fault.param }),
      this.#frame('response.failed', { response: { ...this.#response('failed', null), error } }),
    ];
  }

  whole(finish: Finish): object {
    this.#close();
    return this.#response(finish.reason === 'length' ? 'incomplete' : 'completed', finish);
  }

  #begin(piece: Piece): Frame[] {
    const id = `${this.#head.id}-${this.#done.length}`;
    const output_index = this.#done.length;
    const added = (item: object): Frame => this.#frame('response.output_item.added', { output_index, item });
    switch (piece.kind) {
      case 'reasoning':
      case 'text':
        this.#open =
          piece.kind === 'reasoning'
            ? { kind: 'reasoning', id: `rs-${id}`, text: '' }
            : { kind: 'text', id: `msg-${id}`, text: '' };
        return [
          added({ ...this.#item(this.#open, 'in_progress'), content: [] }),
          this.#frame('response.content_part.added', {
            item_id: this.#open.id,
            output_index,
            content_index: 0,
            part: piece.kind === 'reasoning' ? reasoningText('') : outputText(''),
          }),
        ];
      case 'call': {
        const tool = this.#echo.tools.identityOf(piece.begins?.name ?? '');
        this.#open = {
          kind: 'call',
          id: `${tool.kind === 'custom' ? 'ctc' : 'fc'}-${id}`,
          index: piece.index,
          callId: piece.begins?.id ?? `call-${id}`,
          tool,
          text: '',
        };
        return [added(this.#item(this.#open, 'in_progress'))];
      }
    }
  }

  #close(): Frame[] {
    const open = this.#open;
    if (open === null) return [];
    const item = this.#item(open, 'completed');
    const output_index = this.#done.length;
    const at = { item_id: open.id, output_index };
    const frames: Frame[] = [];
    switch (open.kind) {
      case 'reasoning':
        frames.push(
          this.#frame('response.reasoning_text.done', { ...at, content_index: 0, text: open.text }),
          this.#frame('response.content_part.done', { ...at, content_index: 0, part: reasoningText(open.text) }),
        );
        break;
      case 'text':
        frames.push(
          this.#frame('response.output_text.done', { ...at, content_index: 0, text: open.text, logprobs: [] }),
          this.#frame('response.content_part.done', { ...at, content_index: 0, part: outputText(open.text) }),
        );
        break;
      case 'call':
        if (open.tool.kind === 'custom') {
          const input = inputOfArguments(open.text);
          frames.push(
            this.#frame('response.custom_tool_call_input.delta', { ...at, delta: input }),
            this.#frame('response.custom_tool_call_input.done', { ...at, input }),
          );
        } else {
          const { name } = open.tool;
          frames.push(this.#frame('response.function_call_arguments.done', { ...at, name, arguments: open.text }));
        }
    }
    frames.push(this.#frame('response.output_item.done', { output_index, item }));
    this.#done.push(item);
    this.#open = null;
    return frames;
  }

  #item(open: OpenItem, status: 'in_progress' | 'completed'): object {
    switch (open.kind) {
      case 'reasoning':
        return {
          type: 'reasoning',
          id: open.id,
          summary: [],
          content: [reasoningText(open.text)],
          ...(this.#echo.sealsReasoning ? { encrypted_content: sealed(open.text) } : {}),
          status,
        };
      case 'text':
        return { type: 'message', id: open.id, role: 'assistant', status, content: [outputText(open.text)] };
      case 'call': {
        const { kind, name, namespace } = open.tool;
        return {
          ...(kind === 'custom'
            ? { type: 'custom_tool_call', input: inputOfArguments(open.text) }
            : { type: 'function_call', arguments: open.text }),
          id: open.id,
          call_id: open.callId,
          name,
          ...(namespace === null ? {} : { namespace }),
          status,
        };
      }
    }
  }

  #response(status: 'in_progress' | 'completed' | 'incomplete' | 'failed', finish: Finish | null) {
    const echo = this.#echo;
    return {
      id: `resp-${this.#head.id}`,
      object: 'response',
      created_at: this.#head.createdSeconds,
      status,
      error: null,
      incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
      instructions: echo.instructions,
      max_output_tokens: echo.maxOutputTokens,
      model: this.#head.model,
      output: [...this.#done],
      parallel_tool_calls: false,
      previous_response_id: null,
      reasoning: { effort: echo.effort, summary: null },
      store: false,
      temperature: echo.temperature,
      text: { format: echo.format },
      tool_choice: echo.toolChoice,
      tools: echo.tools.given,
      top_p: echo.topP,
      truncation: 'disabled',
      metadata: {},
      usage:
        finish === null
          ? null
          : {
              input_tokens: finish.usage.promptTokens,
              input_tokens_details: { cached_tokens: finish.usage.cachedTokens },
              output_tokens: finish.usage.completionTokens,
              output_tokens_details: { reasoning_tokens: finish.usage.reasoningTokens },
              total_tokens: finish.usage.promptTokens + finish.usage.completionTokens,
            },
      ...(finish === null ? {} : { timings: timingsOf(finish) }),
    };
  }

  #frame(type: string, more: object): Frame {
    const data = { type, sequence_number: this.#number, ...more };
    this.#number += 1;
    return { event: type, data };
  }
}

const outputText = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] });
const reasoningText = (text: string) => ({ type: 'reasoning_text', text });
