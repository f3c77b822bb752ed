import { createContext, useContext } from 'react';

/** The panels over the window; one at a time. */
export type SheetName =
  | 'conversations'
  | 'models'
  | 'preflight'
  | 'memory'
  | 'wired-limit'
  | 'conversation'
  | 'shortcuts'
  | 'settings';

export const OpenSheetContext = createContext<(name: SheetName) => void>(() => undefined);

export const useOpenSheet = (): ((name: SheetName) => void) => useContext(OpenSheetContext);
