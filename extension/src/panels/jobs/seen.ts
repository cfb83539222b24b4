import { ISignal } from '@lumino/signaling';
import { useCallback, useSyncExternalStore } from 'react';

/** Show in a React component what something has to show, whenever it says that it has changed. */
export function useSeen<T>(
  source: { readonly changed: ISignal<unknown, void> },
  read: () => T
): T {
  const subscribe = useCallback(
    (listener: () => void) => {
      source.changed.connect(listener);
      return () => void source.changed.disconnect(listener);
    },
    [source]
  );
  return useSyncExternalStore(subscribe, read);
}
