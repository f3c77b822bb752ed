import { Fragment, memo, type ReactNode, useContext } from 'react';
import { MAX_INLINE_LENGTH } from './blocks.ts';
import { Formula } from './formula.tsx';
import styles from './inline.module.css';
import { Link } from './link.tsx';
import { footnoteId, footnoteMarkId, type References, ReferencesContext } from './references.ts';
import { type AnswerToken, inlineTokens } from './syntax.ts';
import { visibleCode, visibleText } from './visible-text.ts';

const MAX_DEPTH = 24;

/** The inside of a paragraph, an item or a cell. It is read again only when its own text changes. */
export const Inline = memo(function Inline({ text }: { readonly text: string }) {
  const references = useContext(ReferencesContext);
  if (text.length > MAX_INLINE_LENGTH) return visibleText(text);
  let tokens: readonly AnswerToken[];
  try {
    tokens = inlineTokens(text, references.links);
  } catch {
    return visibleText(text);
  }
  return drawAll(tokens, 0, references);
});

const drawAll = (tokens: readonly AnswerToken[], depth: number, references: References): ReactNode =>
  tokens.map((token, index) => <Fragment key={index}>{draw(token, depth + 1, references)}</Fragment>);

function draw(token: AnswerToken, depth: number, references: References): ReactNode {
  if (depth > MAX_DEPTH) return visibleText(token.raw);
  const inside = (tokens: readonly unknown[]): ReactNode => drawAll(tokens as AnswerToken[], depth, references);
  switch (token.type) {
    case 'text':
      return token.tokens === undefined ? visibleText(token.text) : inside(token.tokens);
    case 'escape':
      return token.text;
    case 'strong':
      return <strong>{inside(token.tokens)}</strong>;
    case 'em':
      return <em>{inside(token.tokens)}</em>;
    case 'del':
      return <del>{inside(token.tokens)}</del>;
    case 'codespan':
      return <code className={styles.code}>{visibleCode(token.text)}</code>;
    case 'br':
      return <br />;
    case 'formula':
      return <Formula tex={token.tex} isDisplay={token.isDisplay} />;
    case 'footnote-mark':
      return <FootnoteMark label={token.label} raw={token.raw} references={references} />;
    case 'link':
      return (
        <Link href={token.href} label={token.text}>
          {inside(token.tokens)}
        </Link>
      );
    case 'image':
      // Nothing is fetched for an answer: a picture is a link to it.
      return (
        <Link href={token.href} label={token.text}>
          {token.text === '' ? token.href : visibleText(token.text)}
        </Link>
      );
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? <br /> : visibleText(token.raw);
    default:
      return visibleText(token.raw);
  }
}

/** Moves to another place of the same text, without an address that the window would have to go to. */
export function goTo(id: string): void {
  const element = document.getElementById(id);
  element?.scrollIntoView({ block: 'nearest' });
  element?.focus({ preventScroll: true });
}

interface FootnoteMarkProps {
  readonly label: string;
  readonly raw: string;
  readonly references: References;
}

function FootnoteMark({ label, raw, references: { footnotes, scope } }: FootnoteMarkProps) {
  if (!footnotes.has(label)) {
    // A number is a footnote whose text comes later; a word in such brackets is more often a pattern.
    return /^\d+$/.test(label) ? <sup className={styles.mark}>{label}</sup> : visibleText(raw);
  }
  const id = footnoteId(scope, label);
  return (
    <sup className={styles.mark}>
      <a
        id={footnoteMarkId(scope, label)}
        href={`#${id}`}
        aria-label={`Footnote ${label}`}
        onClick={(event) => {
          event.preventDefault();
          goTo(id);
        }}
        onAuxClick={(event) => event.preventDefault()}
      >
        {label}
      </a>
    </sup>
  );
}
