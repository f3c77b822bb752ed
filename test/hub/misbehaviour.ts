/** What the local hub may do wrong on demand. Byte positions count within the file. */

export interface HubRequest {
  /** Who was asked: the hub's API, the hub for a file, or the storage behind it. */
  readonly at: 'api' | 'resolve' | 'storage';
  readonly method: string;
  readonly repository: string;
  /** The file's path; empty for the API. */
  readonly path: string;
  /** The first byte asked for, 0 without a range. */
  readonly offset: number;
  /** How many requests of this kind for this file came before. */
  readonly earlier: number;
}

export type Misbehaviour =
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** The connection is reset before any answer. */
  | { readonly kind: 'reset' }
  /** The connection stays open, and nothing is ever said. */
  | { readonly kind: 'silent' }
  /** The connection breaks after so many bytes of the answer. */
  | { readonly kind: 'cut'; readonly afterBytes: number }
  /** The answer ends as if it were whole, without having announced a length. */
  | { readonly kind: 'end-early'; readonly afterBytes: number }
  | { readonly kind: 'flip'; readonly atByte: number }
  | { readonly kind: 'ignore-range' }
  /** A 206 that begins elsewhere and says so. */
  | { readonly kind: 'wrong-range'; readonly shift: number }
  /** Silence after so many bytes, with the connection open. */
  | { readonly kind: 'stall'; readonly afterBytes: number }
  | { readonly kind: 'drip'; readonly bytesPerSecond: number }
  /** Says another length than was listed and sends that much. */
  | { readonly kind: 'wrong-length'; readonly bytes: number }
  /** More bytes than promised, without having announced a length. */
  | { readonly kind: 'too-long'; readonly extraBytes: number }
  | { readonly kind: 'redirect'; readonly to: string }
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  /** Any bytes in place of the answer of the API. */
  | { readonly kind: 'body'; readonly body: string }
  /** The storage's address is signed for a time that is over. */
  | { readonly kind: 'expired' };

/** Asked for every request; null: behave. */
export type Behaviour = (request: HubRequest) => Misbehaviour | null;
