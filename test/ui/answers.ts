/** Answers as models write them, and as nobody should: for the window's tests and benches. */
import type { FakeScript } from './fake-bridge.ts';
import { states } from './states.ts';

const SECTIONS: readonly ((n: number) => string)[] = [
  (n) =>
    `## Step ${n}\n\nThe scheduler keeps **${n} buffers** in flight, and _each of them_ is reused once the GPU has signalled. A short [explanation](https://developer.apple.com/metal/${n}) is in the guide; the rest follows from \\(b_{${n}} = \\frac{B}{W + ${n}C}\\).`,
  (n) =>
    `\`\`\`ts\nexport function plan${n}(limitMiB: number, need: readonly number[]): Plan {\n  const total = need.reduce((sum, part) => sum + part, 0);\n  if (total > limitMiB * 0.95) throw new RangeError(\`needs \${total} MiB\`);\n  // Whatever is left belongs to the other apps.\n  return { kind: 'fits', leftMiB: limitMiB - total, step: ${n} };\n}\n\`\`\``,
  (n) =>
    `- first, read the limit with \`sysctl iogpu.wired_limit_mb\`\n- then compare it:\n  1. weights, ${n * 11} MiB\n  2. cache for ${n}k tokens\n- [x] and keep what was there`,
  (n) => `\\[\nr_{${n}} = \\sum_{i=0}^{${n}} \\frac{B_i}{W + 2 i L d} + \\sqrt{x^2 + ${n}}\n\\]`,
  (n) =>
    `| Layer | Size | Kind |\n| :-- | --: | :-- |\n| ${n} | ${n * 24} MiB | sliding |\n| ${n + 1} | ${n * 48} MiB | full |`,
  (n) =>
    `\`\`\`python\ndef cache_bytes(tokens: int, layers: int = ${n}) -> int:\n    """Bytes that the cache takes."""\n    return sum(2 * min(tokens, 128 if layer % 2 else tokens) * 512 for layer in range(layers))\n\`\`\``,
  (n) =>
    `> What is wired stays wired until the model is turned off, ${n} times out of ${n}.\n\nSo the rate falls slowly with the length of the text: not because of the arithmetic, which hardly changes, but because every token reads the whole cache once. That is measured, not guessed, and the gauge shows it.`,
];

/** An answer of so many characters with all that answers have; the same one every time, and no part like another. */
export function longAnswer(characters: number, first = 1): string {
  let text = '';
  for (let n = first; text.length < characters; n += 1) text += `${SECTIONS[n % SECTIONS.length]?.(n) ?? ''}\n\n`;
  return text.slice(0, characters);
}

/** The window with a conversation of so many messages, questions and answers in turn. */
export function longConversation(messages: number): FakeScript {
  const base = states.complete;
  const [conversation] = base.conversations;
  const [question, answer] = conversation?.messages ?? [];
  if (conversation === undefined || question?.role !== 'user' || answer?.role !== 'assistant')
    throw new Error('states.complete is a question and its answer');
  const id = (n: number): string => `40000000-0000-4000-8000-${String(n).padStart(12, '0')}`;
  return {
    ...base,
    conversations: [
      {
        ...conversation,
        messages: Array.from({ length: messages }, (_, n) => {
          const place = { id: id(n), parentId: n === 0 ? null : id(n - 1) };
          return n % 2 === 0
            ? { ...question, ...place, text: `Question ${n + 1}: how does step ${n + 1} work?` }
            : { ...answer, ...place, reasoning: '', text: longAnswer(1_500 + ((n * 977) % 4_000), n * 7) };
        }),
      },
    ],
  };
}

/** The window with one question and this answer. */
export function answeredWith(question: string, text: string): FakeScript {
  const base = states.complete;
  return {
    ...base,
    conversations: base.conversations.map((conversation) => ({
      ...conversation,
      messages: conversation.messages.map((message) =>
        message.role === 'user'
          ? { ...message, text: question }
          : { ...message, text, reasoning: '', reasoningMs: null },
      ),
    })),
  };
}

export const CODE_ANSWER = `Read the limit once, then compare it with what the model needs:

\`\`\`ts
import { execFile } from 'node:child_process';

/** Megabytes the GPU may keep in place; 0 is the system's own choice. */
export async function wiredLimitMiB(key = 'iogpu.wired_limit_mb'): Promise<number> {
  const { stdout } = await run('/usr/sbin/sysctl', ['-n', key]);
  const limit = Number.parseInt(stdout, 10);
  if (Number.isNaN(limit)) throw new TypeError(\`no number: \${stdout}\`);
  return limit === 0 ? Math.floor(0.67 * totalMiB) : limit; // two thirds
}
\`\`\`

The same in the terminal:

\`\`\`bash
sysctl -n iogpu.wired_limit_mb | awk '{ print $1 / 1024 " GB" }'
\`\`\`

Or as a patch:

\`\`\`diff
@@ -1,2 +1,2 @@
-const share = 0.67;
+const share = 0.75;
\`\`\``;

export const MATH_ANSWER = `The rate at which a model writes is bound by memory, not by arithmetic. With \\(W\\) bytes of active weights and a bandwidth of \\(B\\),

\\[
r_{\\max} = \\frac{B}{W + C(n)}, \\qquad C(n) = 2 \\, n \\sum_{\\ell=1}^{L} d_\\ell
\\]

where \\(C(n)\\) is the KV cache read for \\(n\\) tokens. The mean over a whole answer is an integral:

$$
\\bar r = \\frac{1}{N} \\int_0^N \\frac{B \\, \\mathrm{d}n}{W + 2 n L d} = \\frac{B}{2NLd} \\ln\\!\\left(1 + \\frac{2NLd}{W}\\right)
$$

1. For $n = 4096$ the cache adds 3 %.
2. It costs $5 or $10 a month elsewhere, which is not a formula.
3. \\(\\sqrt{x^2 + y^2} \\leq \\lvert x \\rvert + \\lvert y \\rvert\\)

A matrix: \\(\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\\), and what KaTeX does not know: \\(\\unknown{x}\\).`;

export const NOTES_ANSWER = `### Before you raise the limit

Wired memory cannot be swapped[^1], so what you give to the GPU is **gone** for everything else[^swap].

| Limit | Model | Left for apps | What to expect from the rest of the Mac |
| :-- | --: | --: | :-- |
| 10,922 MiB | does not fit | 5.3 GB | as before |
| 12,800 MiB | fits | 3.5 GB | a browser and an editor |
| 13,312 MiB | fits | 0.6 GB | ~~nothing~~ very little |

- [x] Close Chrome
- [x] Stop the \`docker\` machine
- [ ] Start with a context of 4,096
  - [ ] Raise it later

> What is wired stays wired until the model is turned off.

[^1]: Apple calls it *wired*: pages that the pager may not touch. See [the guide][guide].
[^swap]: A restart puts the old limit back.

[guide]: https://support.apple.com/guide/activity-monitor`;

export const DIRECTIONS_ANSWER = `Three greetings:

- עברית: **שלום עולם**, כתוב מימין לשמאל
- العربية: مرحبا بالعالم (\`print("hi")\`)
- فارسی: سلام دنیا

زبان فارسی از راست به چپ نوشته می‌شود و عدد 12,800 در میان آن است.

This paragraph follows them and reads from the left. Here is a trick: access\u202eexe.txt stays in its own block.

\`\`\`js
if (level !== "user\u202e \u2066// only admins\u2069 \u2066") allow();
\`\`\`

Zero\u200b\u200bwidth\u200d\ufeff and st\u0336\u0353\u0353\u0353a\u0321\u0322\u0327\u0327c\u033c\u033c\u033c\u033cked marks; a terminal escape \u001b[31mred\u001b[0m\u0007.`;

export const BROKEN_ANSWER = `**Never closed and _neither is this

| a | b
| - |
| 1 | 2 | 3 | 4

<div onclick="alert(1)"><script>alert(2)</script>

![a picture](https://tracker.example/pixel.gif) and [a link](javascript:alert(3)

> quote
\`\`\`python
def never_closed(:
    return "

- item`;
