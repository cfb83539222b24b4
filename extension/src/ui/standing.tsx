/**
 * Whether what a panel shows can be as it is now, and whether the user may change it.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, { useSyncExternalStore } from 'react';

import { useResource } from '../api/resource';
import { Workbench } from '../workbench';
import { Failure } from './parts';

/** Why the user may not change anything; undefined if they may. */
export function whyNot(
  workbench: Workbench,
  trans: TranslationBundle
): string | undefined {
  return workbench.mayWrite
    ? undefined
    : trans.__('You are a viewer here: you can look, and change nothing.');
}

/** What a panel says below its content when the server or the project is away. */
export function standing(workbench: Workbench, trans: TranslationBundle): JSX.Element {
  return <Standing workbench={workbench} trans={trans} />;
}

/** Whether the server's events arrive, in a React component. */
export function useConnection(workbench: Workbench): boolean {
  return useSyncExternalStore(
    listener => {
      workbench.connectionChanged.connect(listener);
      return () => void workbench.connectionChanged.disconnect(listener);
    },
    () => workbench.isConnected
  );
}

function Standing(props: {
  readonly workbench: Workbench;
  readonly trans: TranslationBundle;
}): JSX.Element | null {
  const { workbench, trans } = props;
  const state = useResource(workbench.project);
  const isConnected = useConnection(workbench);
  if (state.kind === 'error') {
    return (
      <div className="jp-Workbench-stale">
        <Failure error={state.error} retry={() => workbench.refresh()} trans={trans} />
      </div>
    );
  }
  return state.value && !isConnected ? (
    <p className="jp-Workbench-stale jp-Workbench-notice" role="status">
      {trans.__(
        'The Jupyter server does not answer. This is what was last read; it is read again when the server is back.'
      )}
    </p>
  ) : null;
}
