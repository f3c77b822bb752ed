import type { Tokens } from 'marked';
import { Fragment, memo, type ReactNode, useContext } from 'react';
import { MAX_INLINE_LENGTH } from './blocks.ts';
import { CodeBlock } from './code-block.tsx';
import { Formula } from './formula.tsx';
import { goTo, Inline } from './inline.tsx';
import styles from './markdown.module.css';
import { Plain } from './plain.tsx';
import { footnoteId, footnoteMarkId, ReferencesContext } from './references.ts';
import type { AnswerToken, FootnoteToken } from './syntax.ts';
import { directionAround, directionOf, visibleText } from './visible-text.ts';

/** Deeper nesting is drawn as it was written. */
const MAX_DEPTH = 24;

/** Characters of a cell that is not broken into lines. */
const SHORT_CELL = 18;

interface Place {
  readonly depth: number;
  /** The text still grows at the end of this block. */
  readonly isGrowing: boolean;
}

export function drawBlock(token: AnswerToken, { depth, isGrowing }: Place): ReactNode {
  if (depth > MAX_DEPTH) return visibleText(token.raw);
  const inside = { depth: depth + 1, isGrowing };
  switch (token.type) {
    case 'space':
    case 'def':
    // Tasks draw their own box.
    case 'checkbox':
      return null;
    case 'heading': {
      // Its words are still to come, or there are none.
      if (token.text.trim() === '') return null;
      // The window's own headings end at the second level.
      const Heading = token.depth <= 3 ? 'h3' : 'h4';
      return (
        <Heading data-depth={token.depth} {...directionOf(token.text)}>
          <Inline text={token.text} />
        </Heading>
      );
    }
    case 'paragraph':
      if (token.text.length > MAX_INLINE_LENGTH) return <Plain text={token.text} />;
      return (
        <p {...directionOf(token.text)}>
          <Inline text={token.text} />
        </p>
      );
    case 'text':
      return <Inline text={token.text} />;
    case 'code':
      return <CodeBlock text={token.text} language={token.lang ?? ''} isGrowing={isGrowing} />;
    case 'formula':
      return <Formula tex={token.tex} isDisplay />;
    case 'footnote':
      return <Footnote token={token} />;
    case 'blockquote':
      return (
        <blockquote {...directionAround(token.text)}>{drawBlocks(token.tokens as AnswerToken[], inside)}</blockquote>
      );
    case 'list':
      return <List token={token} place={inside} />;
    case 'table':
      return <Table token={token} />;
    case 'hr':
      return <hr />;
    case 'html':
      return <p className={styles.plain}>{visibleText(token.raw.trimEnd())}</p>;
    default:
      return <Inline text={token.raw} />;
  }
}

const drawBlocks = (tokens: readonly AnswerToken[], { depth, isGrowing }: Place): ReactNode =>
  tokens.map((token, index) => (
    <Fragment key={index}>{drawBlock(token, { depth, isGrowing: isGrowing && index === tokens.length - 1 })}</Fragment>
  ));

interface ItemProps extends Place {
  readonly item: Tokens.ListItem;
}

/** An item is its own text: one that has not changed is not looked at again while the list grows. */
const Item = memo(
  function Item({ item, depth, isGrowing }: ItemProps) {
    const tokens = item.tokens as AnswerToken[];
    // What marked leaves for a task without text is the box's own mark.
    const content = tokens.filter(
      (token) => !(item.task && token.type === 'paragraph' && /^\[[ xX]\] ?$/.test(token.text)),
    );
    return (
      <li className={item.task ? styles.task : undefined} {...directionOf(item.text)}>
        {item.task && (
          <span role="img" className={styles.checkbox} aria-label={item.checked === true ? 'Done' : 'To do'} />
        )}
        {drawBlocks(content, { depth, isGrowing })}
      </li>
    );
  },
  (before, now) =>
    before.item.raw === now.item.raw &&
    before.item.loose === now.item.loose &&
    before.depth === now.depth &&
    before.isGrowing === now.isGrowing,
);

function List({ token, place: { depth, isGrowing } }: { readonly token: Tokens.List; readonly place: Place }) {
  const items = token.items.map((item, index) => (
    <Item key={index} item={item} depth={depth} isGrowing={isGrowing && index === token.items.length - 1} />
  ));
  const loose = token.loose ? styles.loose : undefined;
  return token.ordered ? (
    <ol className={loose} start={token.start === '' ? 1 : token.start} {...directionAround(token.raw)}>
      {items}
    </ol>
  ) : (
    <ul className={loose} {...directionAround(token.raw)}>
      {items}
    </ul>
  );
}

function Table({ token }: { readonly token: Tokens.Table }) {
  const align = (cell: Tokens.TableCell) => ({
    ...directionOf(cell.text),
    // A number and its unit stay together; a sentence does not widen the table.
    'data-short': cell.text.length <= SHORT_CELL,
    ...(cell.align === null ? {} : { 'data-align': cell.align }),
  });
  return (
    // Focusable, so that the keyboard can scroll it sideways.
    <div className={styles.table} role="group" aria-label="Table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, index) => (
              <th key={index} scope="col" {...align(cell)}>
                <Inline text={cell.text} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, rowIndex) => (
            <tr key={rowIndex}>
              {row.map((cell, index) => (
                <td key={index} {...align(cell)}>
                  <Inline text={cell.text} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Footnote({ token: { label, text } }: { readonly token: FootnoteToken }) {
  const { scope } = useContext(ReferencesContext);
  return (
    <div className={styles.footnote} role="note" id={footnoteId(scope, label)} tabIndex={-1} {...directionOf(text)}>
      <a
        href={`#${footnoteMarkId(scope, label)}`}
        aria-label={`Back to where footnote ${label} is mentioned`}
        onClick={(event) => {
          event.preventDefault();
          goTo(footnoteMarkId(scope, label));
        }}
        onAuxClick={(event) => event.preventDefault()}
      >
        {label}
      </a>{' '}
      <span>
        <Inline text={text} />
      </span>
    </div>
  );
}
