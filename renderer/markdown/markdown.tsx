import { Lexer, type MarkedToken, type Token, type Tokens } from 'marked';
import { Component, Fragment, memo, type ReactNode, useRef } from 'react';
import remend from 'remend';
import { createBlockSplitter, splitPlainText } from './blocks.ts';
import { CodeBlock } from './code-block.tsx';
import { decodeEntities } from './entities.ts';
import { Link } from './link.tsx';
import styles from './markdown.module.css';

interface Props {
  readonly text: string;
  /** The text still grows: unclosed marks at its end are closed for the eye. */
  readonly isGrowing: boolean;
}

/**
 * Markdown as React elements. marked is used as a lexer only and no HTML is ever made: tags show as text, images as
 * links, links only where `links.ts` allows. Finished blocks are not looked at again while the text grows.
 */
export function Markdown({ text, isGrowing }: Props) {
  const splitter = useRef<ReturnType<typeof createBlockSplitter>>(null);
  splitter.current ??= createBlockSplitter();
  const blocks = splitter.current(text);
  const tail = isGrowing ? blocks.findLastIndex((block) => block.trim() !== '') : -1;
  return (
    <div className={styles.markdown}>
      {blocks.map((block, index) =>
        // The text only grows: a block's place is its identity.
        block.trim() === '' ? null : <Block key={index} raw={block} isTail={index === tail} />,
      )}
    </div>
  );
}

/** Past these a block is shown as plain lines: no answer needs them, and lexing them would freeze the window. */
const MAX_BLOCK_LENGTH = 20_000;
const MAX_LINE_LENGTH = 8_000;
/** Deeper nesting overflows the lexer's stack some hundred levels later. */
const MAX_DEPTH = 24;

const isCode = (raw: string): boolean => /^ {0,3}(?:```|~~~)/.test(raw);

const isTooMuch = (raw: string): boolean =>
  (raw.length > MAX_BLOCK_LENGTH && !isCode(raw)) ||
  (raw.length > MAX_LINE_LENGTH && raw.split('\n').some((line) => line.length > MAX_LINE_LENGTH)) ||
  /^(?:[ \t]*>){25}/.test(raw);

const Block = memo(function Block({ raw, isTail }: { readonly raw: string; readonly isTail: boolean }) {
  const plain = <Plain text={raw} />;
  if (isTooMuch(raw)) return plain;
  let tokens: readonly Token[];
  try {
    tokens = Lexer.lex(isTail && !isCode(raw) ? remend(raw, { linkMode: 'text-only' }) : raw);
  } catch {
    return plain;
  }
  return (
    <Fallback fallback={plain}>
      {tokens.map((token, index) => (
        <Fragment key={index}>{renderBlock(token as MarkedToken, 0)}</Fragment>
      ))}
    </Fallback>
  );
});

function Plain({ text }: { readonly text: string }) {
  return splitPlainText(text).map((piece, index) => (
    <p key={index} className={styles.plain}>
      {piece}
    </p>
  ));
}

/** What cannot be drawn is shown as it was written. */
class Fallback extends Component<
  { readonly fallback: ReactNode; readonly children: ReactNode },
  { readonly failed: boolean }
> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override render() {
    return this.state.failed ? this.props.fallback : this.props.children;
  }
}

function renderBlock(token: MarkedToken, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return token.raw;
  switch (token.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading': {
      // The window's own headings end at the second level.
      const Heading = token.depth <= 3 ? 'h3' : 'h4';
      return <Heading data-depth={token.depth}>{renderInline(token.tokens, depth)}</Heading>;
    }
    case 'paragraph':
      return <p>{renderInline(token.tokens, depth)}</p>;
    case 'text':
      return token.tokens === undefined ? decodeEntities(token.text) : renderInline(token.tokens, depth);
    case 'code':
      return <CodeBlock text={token.text} language={token.lang ?? ''} />;
    case 'blockquote':
      return <blockquote>{renderBlocks(token.tokens, depth)}</blockquote>;
    case 'list':
      return <List token={token} depth={depth} />;
    case 'table':
      return <Table token={token} depth={depth} />;
    case 'hr':
      return <hr />;
    case 'html':
      return <p className={styles.plain}>{token.raw.trimEnd()}</p>;
    default:
      return renderInline([token], depth);
  }
}

const renderBlocks = (tokens: readonly Token[], depth: number): ReactNode =>
  tokens.map((token, index) => <Fragment key={index}>{renderBlock(token as MarkedToken, depth + 1)}</Fragment>);

function List({ token, depth }: { readonly token: Tokens.List; readonly depth: number }) {
  const items = token.items.map((item, index) => (
    <li key={index} className={item.task ? styles.task : undefined}>
      {renderBlocks(item.tokens, depth)}
    </li>
  ));
  const loose = token.loose ? styles.loose : undefined;
  return token.ordered ? (
    <ol className={loose} start={token.start === '' ? 1 : token.start}>
      {items}
    </ol>
  ) : (
    <ul className={loose}>{items}</ul>
  );
}

function Table({ token, depth }: { readonly token: Tokens.Table; readonly depth: number }) {
  const align = (cell: Tokens.TableCell) => (cell.align === null ? {} : { style: { textAlign: cell.align } });
  return (
    // Focusable, so that the keyboard can scroll it sideways.
    <div className={styles.table} role="group" aria-label="Table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            {token.header.map((cell, index) => (
              <th key={index} scope="col" {...align(cell)}>
                {renderInline(cell.tokens, depth)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {token.rows.map((row, rowIndex) => (
            <tr key={rowIndex}>
              {row.map((cell, index) => (
                <td key={index} {...align(cell)}>
                  {renderInline(cell.tokens, depth)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function renderInline(tokens: readonly Token[], depth: number): ReactNode {
  return tokens.map((token, index) => <Fragment key={index}>{inline(token as MarkedToken, depth + 1)}</Fragment>);
}

function inline(token: MarkedToken, depth: number): ReactNode {
  if (depth > MAX_DEPTH) return token.raw;
  switch (token.type) {
    case 'text':
      return token.tokens === undefined ? decodeEntities(token.text) : renderInline(token.tokens, depth);
    case 'escape':
      // \( \) \[ \] are gpt-oss's marks for formulas, which are shown as they were written.
      return /^\\[()[\]]$/.test(token.raw) ? token.raw : token.text;
    case 'strong':
      return <strong>{renderInline(token.tokens, depth)}</strong>;
    case 'em':
      return <em>{renderInline(token.tokens, depth)}</em>;
    case 'del':
      return <del>{renderInline(token.tokens, depth)}</del>;
    case 'codespan':
      return <code className={styles.code}>{token.text}</code>;
    case 'br':
      return <br />;
    case 'link':
      return (
        <Link href={token.href} label={token.text}>
          {renderInline(token.tokens, depth)}
        </Link>
      );
    case 'image':
      // Nothing is fetched for an answer: a picture is a link to it.
      return (
        <Link href={token.href} label={token.text}>
          {token.text === '' ? token.href : token.text}
        </Link>
      );
    case 'checkbox':
      return <span role="img" className={styles.checkbox} aria-label={token.checked ? 'Done' : 'To do'} />;
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw.trim()) ? <br /> : token.raw;
    default:
      return token.raw;
  }
}
