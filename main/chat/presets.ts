/** System texts with names. */
import { randomUUID } from 'node:crypto';
import type { Preset } from '../../preload/contract.ts';
import type { Database } from './database.ts';
import { textOf } from './rows.ts';

export interface PresetStore {
  list(): Preset[];
  add(name: string, systemText: string): void;
  /** False when it is not there. */
  change(presetId: string, name: string, systemText: string): boolean;
  remove(presetId: string): void;
}

export function createPresetStore(db: Database): PresetStore {
  const select = db.prepare('SELECT id, name, system_text FROM preset ORDER BY name COLLATE NOCASE, seq');
  const insert = db.prepare('INSERT INTO preset (id, name, system_text) VALUES (?, ?, ?)');
  const update = db.prepare('UPDATE preset SET name = ?, system_text = ? WHERE id = ?');
  const remove = db.prepare('DELETE FROM preset WHERE id = ?');
  return {
    list: () =>
      select.all().map((row) => ({
        id: textOf(row['id']),
        name: textOf(row['name']),
        systemText: textOf(row['system_text']),
      })),
    add: (name, systemText) => void insert.run(randomUUID(), name, systemText),
    change: (presetId, name, systemText) => Number(update.run(name, systemText, presetId).changes) > 0,
    remove: (presetId) => void remove.run(presetId),
  };
}
