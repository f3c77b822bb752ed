/** node:sqlite for Node 16, on WebAssembly: as much of it as main uses. Tests only. */
import { rmSync } from 'node:fs';
import { Database } from 'node-sqlite3-wasm';

type Value = string | number | bigint | null | Uint8Array;

export class DatabaseSync {
  readonly #database: InstanceType<typeof Database>;
  readonly #statements: { finalize(): void }[] = [];

  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
    // Its lock is a folder that a killed process leaves behind. The app holds a lock of its own on the data folder.
    rmSync(`${file}.lock`, { recursive: true, force: true });
    this.#database = new Database(file);
  }

  exec(sql: string): void {
    this.#database.exec(sql);
  }

  function(name: string, options: { deterministic?: boolean }, work: (...values: Value[]) => Value): void {
    this.#database.function(name, work, options);
  }

  location(): string | null {
    return this.#file;
  }

  prepare(sql: string): StatementSync {
    const statement = this.#database.prepare(sql);
    this.#statements.push(statement);
    return new StatementSync(statement);
  }

  close(): void {
    for (const statement of this.#statements) {
      try {
        statement.finalize();
      } catch {
        // SQLite repeats a statement's last error when it is finalized; whoever ran it has heard of it already.
      }
    }
    this.#database.close();
  }
}

class StatementSync {
  readonly #statement: ReturnType<InstanceType<typeof Database>['prepare']>;

  constructor(statement: ReturnType<InstanceType<typeof Database>['prepare']>) {
    this.#statement = statement;
  }

  run(...values: Value[]): { changes: number | bigint; lastInsertRowid: number | bigint } {
    return this.#statement.run(values);
  }

  get(...values: Value[]): Record<string, unknown> | undefined {
    // Its own `get` leaves the statement open at its first row, and an open one keeps a table from being dropped.
    return this.#statement.all(values)[0];
  }

  iterate(...values: Value[]): Iterable<Record<string, unknown>> {
    return this.#statement.all(values);
  }

  all(...values: Value[]): Record<string, unknown>[] {
    return this.#statement.all(values);
  }
}
