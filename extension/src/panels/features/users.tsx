/**
 * Who uses something: models and notebooks, and what leads to them.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { listIcon, notebookIcon } from '@jupyterlab/ui-components';
import React from 'react';

import { IContext } from '../../plugin';
import { Part } from '../../ui/item';
import { Limited } from '../../ui/parts';

/** How many users are shown before the others are asked for. */
const USERS = 8;

/** Where those lead who use something. */
export interface IUserActions {
  readonly openNotebook: (path: string) => void;
  readonly showModels: () => void;
}

/** Open them in this JupyterLab. */
export function userActions({ commands, workbench }: IContext): IUserActions {
  return {
    openNotebook: path => {
      const { state } = workbench.project;
      const folder = state.kind === 'ready' ? state.value.folder : null;
      void commands.execute('docmanager:open', {
        path: folder ? `${folder}/${path}` : path
      });
    },
    showModels: () => void commands.execute('workbench:show-models')
  };
}

interface IUsersProps extends IUserActions {
  readonly trans: TranslationBundle;
}

export function UsedBy(
  props: IUsersProps & { readonly users: readonly string[] }
): JSX.Element {
  const { users, trans } = props;
  return (
    <Part title={trans.__('Used by')}>
      {users.length ? (
        <Limited items={users} limit={USERS} trans={trans}>
          {user => (
            <li key={user} className="jp-Workbench-user">
              <User {...props} user={user} />
            </li>
          )}
        </Limited>
      ) : (
        <p className="jp-Workbench-muted">{trans.__('No model or notebook yet.')}</p>
      )}
    </Part>
  );
}

function User(props: IUsersProps & { readonly user: string }): JSX.Element {
  const { user, openNotebook, showModels, trans } = props;
  const [kind, name] = partition(user);
  if (kind === 'notebook') {
    return (
      <button
        className="jp-Workbench-link"
        title={trans.__('Open %1', name)}
        onClick={() => openNotebook(name)}
      >
        <notebookIcon.react tag="span" className="jp-Workbench-icon" />
        {name}
      </button>
    );
  }
  if (kind === 'model') {
    return (
      <button
        className="jp-Workbench-link"
        title={trans.__('Show the models')}
        onClick={showModels}
      >
        <listIcon.react tag="span" className="jp-Workbench-icon" />
        {name}
      </button>
    );
  }
  return (
    <>
      <span className="jp-Workbench-muted">{kind}</span> {name}
    </>
  );
}

/** Split `model:late` into what it is and what it is called. */
export function partition(node: string): readonly [string, string] {
  const at = node.indexOf(':');
  return [node.slice(0, at), node.slice(at + 1)];
}
