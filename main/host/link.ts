/** Which links may leave the app. Model output is full of them, so they are hostile until parsed. */

/** The address as it may be handed to the system, or null: only https and mailto, nothing with credentials in it. */
export function checkedLink(text: string): string | null {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return null;
  }
  if (url.protocol === 'mailto:') return url.href;
  if (url.protocol !== 'https:' || url.hostname === '' || url.username !== '' || url.password !== '') return null;
  return url.href;
}
