import { createContext } from 'react';
import { blockTokens, type LinkDefinitions } from './syntax.ts';

/** What a block of a text may refer to elsewhere in it. */
export interface References {
  readonly links: LinkDefinitions;
  readonly footnotes: ReadonlySet<string>;
  /** Makes the ids of this text's footnotes its own. */
  readonly scope: string;
}

const MAY_DEFINE = /^ {0,3}\[[^\]\n]+\]:/;

/**
 * Collects what the blocks of a growing text define. The result keeps its identity until something new is defined:
 * whoever refers to something is drawn anew only then.
 */
export function createReferenceCollector(scope: string): (blocks: readonly string[]) => References {
  let known = '';
  let references: References = { links: {}, footnotes: new Set(), scope };
  return (blocks) => {
    const defining = blocks.filter((block) => MAY_DEFINE.test(block));
    const now = defining.join('\0');
    if (now === known) return references;
    known = now;
    const links: Record<string, LinkDefinitions[string]> = {};
    const footnotes = new Set<string>();
    for (const token of defining.flatMap((block) => blockTokens(block))) {
      if (token.type === 'footnote') footnotes.add(token.label);
      else if (token.type === 'def') links[token.tag] ??= { href: token.href, title: token.title ?? null };
    }
    references = { links, footnotes, scope };
    return references;
  };
}

export const ReferencesContext = createContext<References>({ links: {}, footnotes: new Set(), scope: '' });

export const footnoteId = (scope: string, label: string): string => `${scope}-note-${label}`;
export const footnoteMarkId = (scope: string, label: string): string => `${scope}-mark-${label}`;
