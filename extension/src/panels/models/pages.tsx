/**
 * Pictures of a version in the main area.
 */
import { listIcon } from '@jupyterlab/ui-components';
import React, { useCallback, useState } from 'react';

import { api, ask } from '../../api/client';
import { IContext } from '../../plugin';
import { Drawn, IPage, openPage, Shade } from '../../ui/page';
import type { IVersionArgs } from './commands';
import { LineagePage } from './lineage';

/** Show what the newest gate found of a version. */
export function openGate(context: IContext, args: IVersionArgs): void {
  const { trans } = context;
  const title = trans.__('Gate of %1 v%2', args.model, args.version);
  const read = (_: Shade, signal: AbortSignal) =>
    ask(
      api.GET('/models/{name}/versions/{version}/gate', {
        params: paramsOf(context, args),
        signal
      })
    );
  open(context, {
    id: `gate-${args.model}-${args.version}`,
    title,
    content: <Drawn title={title} read={read} trans={trans} />
  });
}

/** Show the executed notebook that judged a version. */
export function openGateNotebook(context: IContext, args: IVersionArgs): void {
  const { trans } = context;
  const title = trans.__('Gate notebook of %1 v%2', args.model, args.version);
  const read = (shade: Shade, signal: AbortSignal) => {
    const { path, query } = paramsOf(context, args);
    return ask(
      api.GET('/models/{name}/versions/{version}/gate/notebook', {
        params: { path, query: { ...query, shade } },
        signal
      })
    );
  };
  open(context, {
    id: `gate-notebook-${args.model}-${args.version}`,
    title,
    content: <Drawn title={title} read={read} hasShade trans={trans} />
  });
}

/** Show why a version says what it says. */
export function openExplanation(context: IContext, args: IVersionArgs): void {
  const title = context.trans.__('Why %1 v%2', args.model, args.version);
  open(context, {
    id: `explanation-${args.model}-${args.version}`,
    title,
    content: <Explanation context={context} args={args} title={title} />
  });
}

/** Show what something came from and what came of it. */
export function openLineage(context: IContext, node: string): void {
  const title = context.trans.__('Lineage of %1', node);
  open(context, {
    id: 'lineage',
    title,
    content: <LineagePage context={context} node={node} />
  });
}

function Explanation(props: {
  readonly context: IContext;
  readonly args: IVersionArgs;
  readonly title: string;
}): JSX.Element {
  const { context, args, title } = props;
  const { trans, workbench } = context;
  const { model: name, version } = args;
  const [row, setRow] = useState<number | null>(null);
  const [rows, setRows] = useState<readonly number[]>([]);
  const read = useCallback(
    async (_: Shade, signal: AbortSignal) => {
      const query = { path: workbench.path, ...(row === null ? {} : { row }) };
      const found = await ask(
        api.GET('/models/{name}/versions/{version}/explanation', {
          params: { path: { name, version }, query },
          signal
        })
      );
      setRows(found.rows);
      return found;
    },
    [workbench, name, version, row]
  );
  const tools = (
    <form
      className="jp-Workbench-pageTools"
      onSubmit={event => {
        event.preventDefault();
        const said = new FormData(event.currentTarget).get('row');
        setRow(said === null || said === '' ? null : Number(said));
      }}
    >
      <label>
        {trans.__('Row')}
        <input
          name="row"
          list={`rows-${name}-${version}`}
          type="number"
          min={0}
          placeholder={trans.__('all')}
          onChange={event => event.target.value === '' && setRow(null)}
        />
      </label>
      <datalist id={`rows-${name}-${version}`}>
        {rows.map(one => (
          <option key={one} value={one} />
        ))}
      </datalist>
      <button className="jp-Workbench-button">{trans.__('Tell')}</button>
    </form>
  );
  return <Drawn title={title} read={read} trans={trans} tools={tools} />;
}

/** The address of a version. */
export function paramsOf({ workbench }: IContext, { model, version }: IVersionArgs) {
  return { path: { name: model, version }, query: { path: workbench.path } };
}

function open({ app }: IContext, page: Omit<IPage, 'icon'>): void {
  openPage(app, { ...page, icon: listIcon });
}
