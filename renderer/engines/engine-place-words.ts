/** Where another engine is and whether it answers, in words. Pure. */
import type { OutsideEngineLook, OutsideEngineStatus } from '../../preload/contract.ts';
import { engineAddress } from '../../preload/engine-address.ts';

/** What looking for it found: a line, and what can be done about it. */
export function lookWords(look: OutsideEngineLook): { readonly line: string; readonly more: string | null } {
  switch (look.kind) {
    case 'off':
      return { line: 'Off: it is not looked for, and its models are not listed.', more: null };
    case 'not-found':
      return { line: look.message, more: look.nextStep };
    case 'found': {
      const version = look.version === null ? 'Found' : `Version ${look.version}`;
      return { line: `${version}, ${modelsWords(look.models)}`, more: look.at };
    }
  }
}

function modelsWords(count: number): string {
  if (count === 0) return 'no models yet';
  return count === 1 ? 'one model' : `${count} models`;
}

/** How far a chat with it travels, where that is farther than this computer. */
export function reachWords(look: OutsideEngineLook): string | null {
  if (look.kind !== 'found') return null;
  switch (look.reach) {
    case 'this-computer':
      return null;
    case 'private-network':
      return 'It runs on another computer of your network.';
    case 'elsewhere':
      return 'Chats with it leave your network.';
  }
}

/** A warning about an address as it is being written; null where there is none. */
export function addressWarning(address: string, usualPort: number): string | null {
  const at = engineAddress(address, usualPort);
  if (at === null || at.reach !== 'elsewhere') return null;
  const readable = at.base.startsWith('http:') ? ' unencrypted' : '';
  return `${at.host} is not in your network. Every chat with this engine would be sent there${readable}: use it only if you trust whoever runs it.`;
}

/** Which of the settings here do not count just now. */
export function environmentWords({ fromEnvironment }: Pick<OutsideEngineStatus, 'fromEnvironment'>): string | null {
  if (fromEnvironment.length === 0) return null;
  const [last = '', ...others] = [...fromEnvironment].reverse();
  const names = others.length === 0 ? last : `${others.reverse().join(', ')} and ${last}`;
  return `${names} ${fromEnvironment.length === 1 ? 'is' : 'are'} set where Headroom was started, and ${fromEnvironment.length === 1 ? 'comes' : 'come'} before what is written here.`;
}
