import { TranslationBundle } from '@jupyterlab/translation';
import { refreshIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { ApiError, IProject } from '../api';
import { workbenchIcon } from '../icons';
import { Resource, useResource } from '../resource';

/** The sidebar's head: which project this is, and the button that reads it again. */
export function Header(props: {
  readonly project: Resource<IProject>;
  readonly refresh: () => void;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { refresh, trans } = props;
  const state = useResource(props.project);
  const project = state.kind === 'error' ? undefined : state.value;
  return (
    <header className="jp-Workbench-header">
      <h2 title={project?.root}>{project?.name ?? trans.__('Workbench')}</h2>
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
