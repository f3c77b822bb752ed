/**
 * Proof that the user has just clicked. Whatever asks for an administrator takes one, and only the window's routes
 * (handlers.ts) make them: an endpoint's request or a timer cannot open a dialog, it does not even compile.
 */
export class Consent {
  /** Private members make the class nominal: no object literal passes for one. */
  #isSpent = false;

  private constructor() {}

  /** For the window's routes only; a test holds that nobody else calls it. */
  static ofClick(): Consent {
    return new Consent();
  }

  /** True once. */
  spend(): boolean {
    if (this.#isSpent) return false;
    this.#isSpent = true;
    return true;
  }
}
