import { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Topic } from '../../api/events';
import { usePages } from '../../api/pages';
import { Panel } from '../../panel';
import { IContext } from '../../plugin';
import { List } from '../../ui/list';
import { Empty } from '../../ui/parts';
import { RunActions } from './actions';
import { Header, useColumns } from './columns';
import { RunsModel, useView } from './model';
import { RunRow } from './row';
import { Tools } from './tools';

const HEIGHT = 46;

/** What was run: narrowed, sorted, chosen, and what can be done with it. */
export function runsPanel(context: IContext): Panel {
  const { workbench, trans } = context;
  const model = new RunsModel(workbench);
  const actions = new RunActions(context);
  const openWide = (): void => void context.commands.execute('workbench:open-runs');
  const panel = new Panel({
    id: 'runs',
    workbench,
    topics: ['runs'],
    load: () => model.load(),
    clear: () => model.clear(),
    render: () => (
      <Runs model={model} actions={actions} openWide={openWide} trans={trans} />
    )
  });
  const onChanged = (_: unknown, topics: readonly Topic[]): void => {
    if (topics.includes('branch') && panel.isVisible) {
      model.followBranch();
    }
  };
  workbench.changed.connect(onChanged);
  panel.disposed.connect(() => {
    workbench.changed.disconnect(onChanged);
    model.dispose();
  });
  return panel;
}

interface IRunsProps {
  readonly model: RunsModel;
  readonly actions: RunActions;
  readonly openWide: () => void;
  readonly trans: TranslationBundle;
}

function Runs(props: IRunsProps): JSX.Element {
  const { model, actions, openWide, trans } = props;
  const view = useView(model);
  const columns = useColumns(model);
  const { items } = usePages(model.pages);
  const tools = (
    <>
      <Tools model={model} actions={actions} openWide={openWide} trans={trans} />
      {items.length > 0 && <Header model={model} columns={columns} trans={trans} />}
    </>
  );
  return (
    <List
      pages={model.pages}
      trans={trans}
      label={trans.__('Runs')}
      keyOf={run => run.run_id}
      height={HEIGHT}
      tools={tools}
      about={[view.scope, view.filter, view.sort.field, view.sort.isDescending].join(
        '\n'
      )}
      empty={<Empty>{whyNone(model, trans)}</Empty>}
    >
      {run => (
        <RunRow
          run={run}
          model={model}
          actions={actions}
          columns={columns}
          isChosen={view.chosen.has(run.run_id)}
          isOpen={view.open.has(run.run_id)}
          trans={trans}
        />
      )}
    </List>
  );
}

function whyNone(model: RunsModel, trans: TranslationBundle): string {
  const { filter, scope, branch } = model.view;
  if (filter) {
    return trans.__('No run is like this: %1', filter);
  }
  if (scope === 'branch') {
    return branch === null
      ? trans.__('No branch is checked out: show all runs instead.')
      : trans.__('No runs of the branch %1 yet.', branch);
  }
  return trans.__('No runs yet. What a notebook logs to MLflow appears here.');
}
