/**
 * The sidebar's head, and what it says where there is no project.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { ApiError, otherVersion } from './api/client';
import { useResource } from './api/resource';
import { VERSION } from './generated/version';
import { workbenchIcon } from './ui/icons';
import { useConnection } from './ui/standing';
import { Workbench } from './workbench';

/** Which project this is, whether the server is there, and the button that reads it again. */
export function Header(props: {
  readonly workbench: Workbench;
  readonly refresh: () => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { workbench, refresh, trans } = props;
  const state = useResource(workbench.project);
  const isConnected = useConnection(workbench);
  const project = state.kind === 'error' ? undefined : state.value;
  return (
    <>
      <header className="jp-Workbench-header">
        <h2 title={project?.root}>{project?.name ?? trans.__('Workbench')}</h2>
        {project && !isConnected && (
          <span className="jp-Workbench-away" role="status">
            {trans.__('not connected')}
          </span>
        )}
        <button
          className="jp-Workbench-iconButton"
          aria-label={trans.__('Refresh')}
          title={trans.__('Refresh')}
          aria-busy={state.kind === 'loading'}
          onClick={refresh}
        >
          <refreshIcon.react tag="span" className="jp-Workbench-icon" />
        </button>
      </header>
      {otherVersion !== null && (
        <p className="jp-Workbench-notice" role="alert">
          {trans.__(
            'The server has Workbench %1, this page %2: reload the page, or start the server again.',
            otherVersion,
            VERSION
          )}
        </p>
      )}
    </>
  );
}

/** What to do in a folder that isn't in a project, which is a normal state. */
export function NotAProject(props: {
  readonly error: ApiError;
  readonly openTerminal: (() => void) | null;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { error, openTerminal, trans } = props;
  return (
    <div className="jp-Workbench-welcome" role="status">
      <workbenchIcon.react tag="span" className="jp-Workbench-welcomeIcon" />
      <h3>{trans.__('This folder is not in a project')}</h3>
      <p className="jp-Workbench-muted">{error.message}</p>
      <p>
        {trans.__('Go to a project in the file browser, or make one in a terminal:')}
      </p>
      <code>workbench init my-project</code>
      {openTerminal && (
        <button className="jp-Workbench-button" onClick={openTerminal}>
          {trans.__('Open a terminal')}
        </button>
      )}
    </div>
  );
}
