/** A file that comes in pieces from the window, read and taken into the store. */
import type { ImportReport } from '../../preload/contract.ts';
import { AppFault } from '../fault.ts';
import { ImportRefused } from './import/imported.ts';
import { readImport } from './import/import-file.ts';
import type { Transfer } from './transfer.ts';

export interface Importing {
  /** Null until the last piece is there. Throws AppFault; then nothing was taken. */
  piece(input: { importId: string; index: number; text: string; isLast: boolean }): Promise<ImportReport | null>;
}

/** Longest file, UTF-16 units: V8 holds strings of twice that. */
const LONGEST_FILE = 256_000_000;

export function createImporting(ports: { readonly transfer: Transfer; nowMs(): number }): Importing {
  let coming: { importId: string; pieces: string[]; length: number } | null = null;
  let isTaking = false;

  const refused = (message: string): AppFault => new AppFault('refused', message, 'Choose another file.');

  const take = async (text: string): Promise<ImportReport> => {
    const { from, conversations, skipped } = readImport(text);
    // The same conversation may stand twice in a file; the first counts.
    const seen = new Set<string>();
    const fresh = conversations.filter(({ id }) => {
      const isNew = !seen.has(id) && !ports.transfer.isKnown(from, id);
      seen.add(id);
      return isNew;
    });
    await ports.transfer.take(from, fresh, ports.nowMs());
    return {
      from,
      conversations: fresh.length,
      messages: fresh.reduce((sum, { messages }) => sum + messages.length, 0),
      known: conversations.length - fresh.length,
      skipped: [...skipped].map(([reason, count]) => ({ reason, count })),
    };
  };

  return {
    async piece({ importId, index, text, isLast }) {
      if (isTaking) throw refused('Another file is still being taken in.');
      if (index === 0) coming = { importId, pieces: [], length: 0 };
      if (coming === null || coming.importId !== importId || coming.pieces.length !== index) {
        throw refused('The file did not come through whole.');
      }
      coming.pieces.push(text);
      coming.length += text.length;
      if (coming.length > LONGEST_FILE) {
        coming = null;
        throw refused(`The file is too large: more than ${LONGEST_FILE / 1_000_000} million characters.`);
      }
      if (!isLast) return null;
      const whole = coming.pieces.join('');
      coming = null;
      isTaking = true;
      try {
        return await take(whole);
      } catch (error) {
        if (error instanceof ImportRefused) throw refused(error.message);
        throw error;
      } finally {
        isTaking = false;
      }
    },
  };
}
