import { Component, Fragment, memo, type ReactNode, useId, useRef } from 'react';
import remend from 'remend';
import { drawBlock } from './block.tsx';
import { createBlockSplitter, isCode, isDrawnPlain } from './blocks.ts';
import { UNFINISHED } from './formula.tsx';
import { openFormula } from './formulas.ts';
import styles from './markdown.module.css';
import { Plain } from './plain.tsx';
import { createReferenceCollector, ReferencesContext } from './references.ts';
import { type AnswerToken, blockTokens } from './syntax.ts';

interface Props {
  readonly text: string;
  /** The text still grows: unclosed marks at its end are closed for the eye. */
  readonly isGrowing: boolean;
}

/** Blocks that are compared one by one; those before them only as a whole. */
const SECTION_LENGTH = 24;

/**
 * Markdown as React elements. marked is used as a lexer only and no HTML is ever made: tags show as text, images as
 * links, links only where `links.ts` allows. Finished blocks are not looked at again while the text grows.
 */
export function Markdown({ text, isGrowing }: Props) {
  const scope = useId();
  const reader = useRef<{
    readonly split: ReturnType<typeof createBlockSplitter>;
    readonly collect: ReturnType<typeof createReferenceCollector>;
  }>(null);
  reader.current ??= { split: createBlockSplitter(), collect: createReferenceCollector(scope) };
  const blocks = reader.current.split(text);
  const tail = isGrowing ? blocks.findLastIndex((block) => block.trim() !== '') : -1;
  // What is only being defined is no definition yet: its every letter would wake those who refer to it.
  const references = reader.current.collect(tail === -1 ? blocks : blocks.slice(0, tail));
  const sections: ReactNode[] = [];
  for (let from = 0; from < blocks.length; from += SECTION_LENGTH) {
    const isLast = tail >= from && tail < from + SECTION_LENGTH;
    sections.push(
      // The text only grows: a block's place is its identity.
      <Section key={from} blocks={blocks.slice(from, from + SECTION_LENGTH)} tail={isLast ? tail - from : -1} />,
    );
  }
  return (
    <ReferencesContext value={references}>
      <div className={styles.markdown}>{sections}</div>
    </ReferencesContext>
  );
}

interface SectionProps {
  readonly blocks: readonly string[];
  /** The block at whose end the text grows, or -1. */
  readonly tail: number;
}

const Section = memo(
  function Section({ blocks, tail }: SectionProps) {
    return blocks.map((block, index) =>
      block.trim() === '' ? null : <Block key={index} raw={block} isTail={index === tail} />,
    );
  },
  (before, now) =>
    before.tail === now.tail &&
    before.blocks.length === now.blocks.length &&
    before.blocks.every((block, index) => block === now.blocks[index]),
);

/** Closes for the eye what the growing text has opened. A formula waits for its own end. */
function healed(raw: string): string {
  const at = openFormula(raw);
  const text = at === -1 ? raw : raw.slice(0, at);
  const closed = remend(text, { linkMode: 'text-only', katex: false });
  if (at === -1) return closed;
  const mark = raw.slice(at, at + 2);
  const close = { '\\(': '\\)', '\\[': '\\]' }[mark] ?? mark;
  // The first half of the closing mark may be there already.
  return `${closed}${raw
    .slice(at)
    .trimEnd()
    .replace(/[\\$]$/, '')}${UNFINISHED}${close}`;
}

const Block = memo(function Block({ raw, isTail }: { readonly raw: string; readonly isTail: boolean }) {
  if (isDrawnPlain(raw)) return <Plain text={raw} />;
  let tokens: readonly AnswerToken[];
  try {
    tokens = blockTokens(isTail && !isCode(raw) ? healed(raw) : raw);
  } catch {
    return <Plain text={raw} />;
  }
  return (
    <Undrawable raw={raw}>
      {tokens.map((token, index) => (
        <Fragment key={index}>{drawBlock(token, { depth: 0, isGrowing: isTail })}</Fragment>
      ))}
    </Undrawable>
  );
});

/** What cannot be drawn is shown as it was written, until it is written on. */
class Undrawable extends Component<
  { readonly raw: string; readonly children: ReactNode },
  { readonly isFailed: boolean; readonly raw: string }
> {
  override state = { isFailed: false, raw: this.props.raw };
  static getDerivedStateFromError() {
    return { isFailed: true };
  }
  static getDerivedStateFromProps({ raw }: { readonly raw: string }, state: { readonly raw: string }) {
    return raw === state.raw ? null : { isFailed: false, raw };
  }
  override render() {
    return this.state.isFailed ? <Plain text={this.props.raw} /> : this.props.children;
  }
}
