/** Hands a text to the system's own way of saving a file. */
export function saveFile(fileName: string, pieces: readonly string[]): void {
  const type = fileName.endsWith('.json') ? 'application/json' : 'text/markdown';
  const url = URL.createObjectURL(new Blob([...pieces], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = fileName;
  link.click();
  // The download has taken its own hold of the data by then.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
