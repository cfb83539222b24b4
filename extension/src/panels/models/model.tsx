/**
 * One model: what is in production of it, its versions, decisions and reproductions.
 */
import { caretLeftIcon } from '@jupyterlab/ui-components';
import React, { KeyboardEvent } from 'react';

import { useResource } from '../../api/resource';
import { IModelDetail, ITask } from '../../api/types';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { whyNot } from '../../ui/standing';
import { Aliases, Production } from './home';
import type { IPartProps } from './panel';
import { Decisions, Reproductions } from './records';
import { Tab, useView } from './store';
import { VersionRow } from './version';

const HEIGHT = 64;

/** What is known of a model, below the way back to all of them. */
export function Model(props: IPartProps & { readonly name: string }): JSX.Element {
  const { store } = props;
  const { tab } = useView(store);
  const tools = <Head {...props} tab={tab} />;
  switch (tab) {
    case 'versions':
      return <Versions {...props} tools={tools} />;
    case 'decisions':
      return <Decisions {...props} tools={tools} />;
    case 'reproductions':
      return <Reproductions {...props} tools={tools} />;
  }
}

function Head(
  props: IPartProps & { readonly name: string; readonly tab: Tab }
): JSX.Element {
  const { store, context, name, tab } = props;
  const { trans } = context;
  const state = useResource(store.detail);
  const detail = state.kind === 'error' ? undefined : state.value;
  const reason = whyNot(context.workbench, trans);
  return (
    <div className="jp-Workbench-modelTop">
      <div className="jp-Workbench-modelTitle">
        <button
          className="jp-Workbench-iconButton"
          aria-label={trans.__('All models')}
          title={trans.__('All models')}
          onClick={() => store.show({ model: null })}
        >
          <caretLeftIcon.react tag="span" className="jp-Workbench-icon" />
        </button>
        <h3 className="jp-Workbench-name" title={name}>
          {name}
        </h3>
        {detail && <Aliases aliases={detail.aliases} trans={trans} />}
      </div>
      {detail?.production.map(one => (
        <Production key={one.alias} one={one} trans={trans} />
      ))}
      {detail && <Actions {...props} detail={detail} />}
      {reason && <p className="jp-Workbench-muted">{reason}</p>}
      <Tabs {...props} tab={tab} />
    </div>
  );
}

function Actions(
  props: IPartProps & { readonly detail: IModelDetail }
): JSX.Element | null {
  const { context, detail } = props;
  const { trans, commands } = context;
  const reason = whyNot(context.workbench, trans);
  return (
    <div className="jp-Workbench-actions">
      {Object.entries(detail.back).map(([alias, version]) => (
        <button
          key={alias}
          className="jp-Workbench-button"
          disabled={!!reason}
          title={reason ?? trans.__('Give %1 back to version %2', alias, version)}
          onClick={() =>
            void commands.execute('workbench:roll-back-model', {
              model: detail.name,
              alias,
              from: detail.aliases[alias],
              to: version
            })
          }
        >
          {alias === 'champion'
            ? trans.__('Roll back to v%1…', version)
            : trans.__('Roll %1 back to v%2…', alias, version)}
        </button>
      ))}
      {Object.keys(detail.aliases).length > 0 && (
        <button
          className="jp-Workbench-button"
          onClick={() =>
            void commands.execute('workbench:show-lineage', {
              node: `model:${detail.name}@${Object.keys(detail.aliases)[0]}`
            })
          }
        >
          {trans.__('Lineage')}
        </button>
      )}
    </div>
  );
}

const TABS: readonly Tab[] = ['versions', 'decisions', 'reproductions'];

function Tabs(props: IPartProps & { readonly tab: Tab }): JSX.Element {
  const { store, context, tab } = props;
  const { trans } = context;
  const names: Readonly<Record<Tab, string>> = {
    versions: trans.__('Versions'),
    decisions: trans.__('Decisions'),
    reproductions: trans.__('Reproductions')
  };
  const onKey = (event: KeyboardEvent): void => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) {
      const next = TABS[(TABS.indexOf(tab) + step + TABS.length) % TABS.length];
      store.show({ tab: next });
      const buttons = event.currentTarget.querySelectorAll('button');
      buttons[TABS.indexOf(next)].focus();
    }
  };
  return (
    <div className="jp-Workbench-tabs" role="tablist" onKeyDown={onKey}>
      {TABS.map(one => (
        <button
          key={one}
          role="tab"
          aria-selected={one === tab}
          tabIndex={one === tab ? 0 : -1}
          onClick={() => store.show({ tab: one })}
        >
          {names[one]}
        </button>
      ))}
    </div>
  );
}

function Versions(
  props: IPartProps & { readonly name: string; readonly tools: JSX.Element }
): JSX.Element {
  const { store, context, name, tools } = props;
  const { trans } = context;
  const state = useResource(store.tasks);
  const tasks = (state.kind === 'error' ? undefined : state.value) ?? [];
  return (
    <List
      pages={store.versions}
      trans={trans}
      label={trans.__('Versions of %1', name)}
      keyOf={version => version.version}
      height={HEIGHT}
      tools={tools}
      empty={<Empty>{trans.__('No versions yet.')}</Empty>}
    >
      {version => (
        <VersionRow
          context={context}
          model={name}
          version={version}
          tasks={newest(tasks, `model:${name}/${version.version}`)}
        />
      )}
    </List>
  );
}

/** Of each kind the task that was begun last. */
function newest(tasks: readonly ITask[], subject: string): readonly ITask[] {
  const own = tasks.filter(task => task.subject === subject);
  return own.filter((task, at) => own.findIndex(one => one.kind === task.kind) === at);
}
