/**
 * The columns of the wide table: which there are, their heads, and choosing them.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretUpIcon } from '@jupyterlab/ui-components';
import React, {
  CSSProperties,
  KeyboardEvent,
  useId,
  useMemo,
  useRef,
  useState
} from 'react';

import { usePages } from '../../api/pages';
import { useResource } from '../../api/resource';
import { IRunFacets } from '../../api/types';
import { RunsModel, useView } from './model';
import { columnName } from './words';

/** More would each be too narrow to be read. */
const MOST = 10;
const USUAL = 5;
const OF_RUN = ['run.branch', 'run.notebook', 'run.user', 'run.duration'];

/** What is logged beside what is aimed at, shown only if it is chosen. */
const BESIDE = /^(base_rate|baseline_|cost_|training_|system\/)/;

/** The columns to show: the chosen ones, or the metrics that most runs have. */
export function useColumns(model: RunsModel): readonly string[] {
  const { columns } = useView(model);
  const { items } = usePages(model.pages);
  const state = useResource(model.facets);
  const facets = state.kind === 'error' ? undefined : state.value;
  const first = items[0];
  return useMemo(() => {
    if (columns) {
      return columns;
    }
    const metrics = Object.keys(facets?.metrics ?? first?.metrics ?? {});
    const aims = metrics.filter(name => !BESIDE.test(name));
    const usual = (aims.length ? aims : metrics).slice(0, USUAL);
    return ['run.branch', ...usual.map(name => `metrics.${name}`)];
  }, [columns, facets, first]);
}

/** How many columns there are, for the style sheet. */
export function columnStyle(columns: readonly unknown[]): CSSProperties {
  return { '--jp-Workbench-columns': columns.length } as CSSProperties;
}

/** The heads of the columns, by which the runs are sorted. */
export function Header(props: {
  readonly model: RunsModel;
  readonly columns: readonly string[];
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, columns, trans } = props;
  const { sort } = useView(model);
  return (
    <div className="jp-Workbench-runsHeader" style={columnStyle(columns)}>
      <span>{trans.__('Run')}</span>
      <Head
        name={trans.__('Started')}
        field="start_time"
        sort={sort}
        model={model}
        trans={trans}
      />
      {columns.map(column =>
        /^(metrics|params)\./.test(column) ? (
          <Head
            key={column}
            name={columnName(column, trans)}
            field={column}
            sort={sort}
            model={model}
            trans={trans}
          />
        ) : (
          <span key={column} title={columnName(column, trans)}>
            {columnName(column, trans)}
          </span>
        )
      )}
    </div>
  );
}

function Head(props: {
  readonly name: string;
  readonly field: string;
  readonly sort: { readonly field: string; readonly isDescending: boolean };
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { name, field, sort, model, trans } = props;
  const isBy = field === sort.field;
  const Direction = sort.isDescending ? caretDownIcon : caretUpIcon;
  return (
    <button
      className="jp-Workbench-head"
      data-number={field.startsWith('metrics.')}
      aria-pressed={isBy}
      title={trans.__('Sort by %1', field)}
      onClick={() => model.sortBy(field)}
    >
      <span>{name}</span>
      {isBy && <Direction.react tag="span" className="jp-Workbench-icon" />}
    </button>
  );
}

/** The button that opens the list of columns, of which up to ten are shown. */
export function ColumnChooser(props: {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = (): void => {
    void model.refreshFacets();
    const { right, bottom } = button.current!.getBoundingClientRect();
    Object.assign(list.current!.style, {
      top: `${bottom + 2}px`,
      right: `${window.innerWidth - right}px`
    });
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Escape') {
      event.preventDefault(); // a box with words in it would only be emptied
      list.current!.hidePopover();
      button.current!.focus();
    }
  };
  return (
    <>
      <button
        ref={button}
        className="jp-Workbench-button jp-Workbench-whenWide"
        onClick={place}
        {...{ popovertarget: id }}
      >
        {trans.__('Columns')}
        <caretDownIcon.react tag="span" className="jp-Workbench-icon" />
      </button>
      <div
        ref={list}
        id={id}
        className="jp-Workbench-columns"
        role="group"
        aria-label={trans.__('Columns')}
        onKeyDown={onKeyDown}
        {...{ popover: 'auto' }}
      >
        <Choices model={model} trans={trans} />
      </div>
    </>
  );
}

function Choices(props: {
  readonly model: RunsModel;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { model, trans } = props;
  const [word, setWord] = useState('');
  const shown = useColumns(model);
  const state = useResource(model.facets);
  const facets = state.kind === 'error' ? undefined : state.value;
  const found = every(facets).filter(column =>
    column.toLowerCase().includes(word.trim().toLowerCase())
  );
  const toggle = (column: string, isShown: boolean): void =>
    model.setColumns(
      isShown ? [...shown, column] : shown.filter(one => one !== column)
    );
  return (
    <>
      <input
        type="search"
        className="jp-Workbench-filter"
        aria-label={trans.__('Filter columns')}
        placeholder={trans.__('Filter columns')}
        value={word}
        onChange={event => setWord(event.target.value)}
      />
      <ul>
        {found.map(column => (
          <li key={column}>
            <label title={column}>
              <input
                type="checkbox"
                checked={shown.includes(column)}
                disabled={shown.length >= MOST && !shown.includes(column)}
                onChange={event => toggle(column, event.target.checked)}
              />
              <span>{columnName(column, trans)}</span>
              <span className="jp-Workbench-muted">{kindOf(column, trans)}</span>
            </label>
          </li>
        ))}
      </ul>
      <div className="jp-Workbench-columnsFoot">
        <span className="jp-Workbench-muted">
          {trans.__('%1 of %2 at most', shown.length, MOST)}
        </span>
        <button className="jp-Workbench-link" onClick={() => model.setColumns(null)}>
          {trans.__('The usual ones')}
        </button>
      </div>
    </>
  );
}

function every(facets: IRunFacets | undefined): readonly string[] {
  const of = (kind: string, counts: Readonly<Record<string, number>> = {}): string[] =>
    Object.keys(counts).map(key => `${kind}.${key}`);
  return [
    ...OF_RUN,
    ...of('metrics', facets?.metrics),
    ...of('params', facets?.params),
    ...of('tags', facets?.tags)
  ];
}

function kindOf(column: string, trans: TranslationBundle): string {
  switch (column.slice(0, column.indexOf('.'))) {
    case 'metrics':
      return trans.__('metric');
    case 'params':
      return trans.__('parameter');
    case 'tags':
      return trans.__('tag');
    default:
      return '';
  }
}
