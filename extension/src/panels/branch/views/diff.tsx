/**
 * How one file differs between two versions: a notebook by its cells, as nbdime draws them.
 */
import { PathExt } from '@jupyterlab/coreutils';
import { TranslationBundle } from '@jupyterlab/translation';
import { notebookIcon, textEditorIcon } from '@jupyterlab/ui-components';
import { Widget } from '@lumino/widgets';
import React, { useLayoutEffect, useRef, useState } from 'react';

import { api, ApiError, ask } from '../../../api/client';
import { Resource } from '../../../api/resource';
import { IFileDiff } from '../../../api/types';
import { IContext } from '../../../plugin';
import { Empty, Failure, Loading, Shown } from '../../../ui/parts';
import { Lines, readUnified } from './lines';
import type { IRenderers } from './nbdime';
import { showView } from './view';

/** Which file, and its versions; empty for the last commit, and the file on disk. */
export interface IVersions {
  readonly file?: string;
  readonly was?: string;
  readonly base?: string;
  readonly other?: string;
}

export function showDiff(
  context: IContext,
  renderers: IRenderers,
  versions: IVersions
): void {
  const { file = '', was, base, other } = versions;
  const { workbench, trans } = context;
  let last: IFileDiff | null = null;
  const diff = new Resource(async signal => {
    const query = {
      path: workbench.path,
      file,
      ...(was && { was }),
      ...(base && { base }),
      ...(other && { other })
    };
    const told = await ask(api.GET('/branch/diff', { params: { query }, signal }));
    // The same answer is the same object, so that it isn't drawn again.
    last = JSON.stringify(told) === JSON.stringify(last) ? last : told;
    return last ?? told;
  });
  const sides = `${base || trans.__('last commit')} → ${other || trans.__('on disk')}`;
  showView(context, {
    id: `diff:${file}:${base ?? ''}:${other ?? ''}`,
    title: trans.__('%1 (changes)', PathExt.basename(file)),
    caption: `${file}: ${sides}`,
    icon: file.endsWith('.ipynb') ? notebookIcon : textEditorIcon,
    topics: ['branch'],
    resources: [diff],
    render: () => (
      <Shown resource={diff} trans={trans} whenEmpty={() => null}>
        {told => <Diff told={told} sides={sides} renderers={renderers} trans={trans} />}
      </Shown>
    )
  });
}

function Diff(props: {
  readonly told: IFileDiff;
  readonly sides: string;
  readonly renderers: IRenderers;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { told, sides, trans } = props;
  const [isWhole, setWhole] = useState(false);
  return (
    <>
      <header className="jp-Workbench-branchViewHead">
        <h2>{told.path}</h2>
        <span className="jp-Workbench-muted">
          {sides} · {wordOf(told.state, trans)}
        </span>
        {told.kind === 'notebook' && told.state !== 'same' && (
          <label className="jp-Workbench-answer">
            <input
              type="checkbox"
              checked={isWhole}
              onChange={event => setWhole(event.target.checked)}
            />
            {trans.__('Show the cells that are the same')}
          </label>
        )}
      </header>
      {told.state === 'same' ? (
        <Empty>
          {told.kind === 'notebook'
            ? trans.__('There is no difference but in the outputs.')
            : trans.__('There is no difference.')}
        </Empty>
      ) : told.kind === 'binary' ? (
        <Empty>{trans.__('This is no text, so its lines can’t be compared.')}</Empty>
      ) : told.kind === 'text' ? (
        <Lines lines={readUnified(told.lines)} label={told.path} trans={trans} />
      ) : (
        <Notebook {...props} isWhole={isWhole} />
      )}
    </>
  );
}

/** nbdime's view of a notebook, drawn when its code is here. */
function Notebook(props: {
  readonly told: IFileDiff;
  readonly renderers: IRenderers;
  readonly isWhole: boolean;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { told, renderers, isWhole, trans } = props;
  const host = useRef<HTMLDivElement>(null);
  const [isDrawn, setDrawn] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const [turn, setTurn] = useState(0);
  // A layout effect: Lumino can only take a widget out while its host is still in the page.
  useLayoutEffect(() => {
    let [widget, isGone]: [Widget | null, boolean] = [null, false];
    const draw = async (): Promise<void> => {
      setDrawn(false);
      setError(null);
      try {
        const { drawNotebook } = await import('./nbdime');
        if (isGone || !host.current) {
          return;
        }
        widget = await drawNotebook(told, renderers, host.current);
        if (isGone) {
          widget.dispose();
        } else {
          setDrawn(true);
        }
      } catch (reason) {
        setError(new ApiError(`${(reason as Error).message}`, -1, ''));
      }
    };
    void draw();
    return () => {
      isGone = true;
      widget?.dispose();
    };
  }, [told, renderers, turn]);
  return (
    <>
      {error ? (
        <Failure error={error} retry={() => setTurn(turn + 1)} trans={trans} />
      ) : (
        !isDrawn && <Loading trans={trans} />
      )}
      <div
        ref={host}
        className="jp-Workbench-nbdime nbdime-root"
        data-whole={isWhole}
      />
    </>
  );
}

function wordOf(state: IFileDiff['state'], trans: TranslationBundle): string {
  switch (state) {
    case 'added':
      return trans.__('added');
    case 'deleted':
      return trans.__('deleted');
    case 'modified':
      return trans.__('modified');
    case 'same':
      return trans.__('the same');
  }
}
