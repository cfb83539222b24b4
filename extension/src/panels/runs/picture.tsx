/**
 * Runs drawn by the server: a page of Bokeh's in a frame that may run its own scripts, and nothing
 * else. It has no way to JupyterLab, and asks nobody for anything.
 */
import { TranslationBundle } from '@jupyterlab/translation';
import React, {
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore
} from 'react';

import { api, ask } from '../../api/client';
import { Resource, useResource } from '../../api/resource';
import { IPicture } from '../../api/types';
import { Failure, Loading } from '../../ui/parts';

const THEME = 'data-jp-theme-light';

export function Picture(props: {
  readonly kind: 'parallel' | 'scatter';
  readonly runs: readonly string[];
  readonly path: string;
  readonly trans: TranslationBundle;
}): JSX.Element {
  const { kind, path, trans } = props;
  const runs = props.runs.join(',');
  const [axes, setAxes] = useState<readonly string[]>([]);
  const theme = useTheme();
  const picture = usePicture({ path, runs, kind, theme, axes: axes.join(',') });
  const state = useResource(picture);
  const title =
    kind === 'parallel' ? trans.__('Parallel coordinates') : trans.__('Scatter');
  return (
    <figure className="jp-Workbench-picture" data-kind={kind}>
      <figcaption>
        <h3>{title}</h3>
        {state.kind !== 'error' &&
          state.value &&
          (kind === 'scatter' ? (
            <TwoAxes picture={state.value} setAxes={setAxes} trans={trans} />
          ) : (
            <ManyAxes picture={state.value} setAxes={setAxes} trans={trans} />
          ))}
      </figcaption>
      {state.kind === 'error' ? (
        <Failure
          error={state.error}
          retry={() => (axes.length ? setAxes([]) : picture.load())}
          trans={trans}
        />
      ) : state.value === undefined ? (
        <Loading trans={trans} />
      ) : (
        <iframe sandbox="allow-scripts" srcDoc={state.value.html} title={title} />
      )}
    </figure>
  );
}

interface IPictureQuery {
  readonly path: string;
  readonly runs: string;
  readonly kind: 'parallel' | 'scatter';
  readonly theme: 'light' | 'dark';
  readonly axes: string;
}

/** Ask for a picture whenever the query changes; the one before stays until the next is there. */
function usePicture(query: IPictureQuery): Resource<IPicture> {
  const asked = useRef(query);
  asked.current = query;
  const picture = useMemo(
    () =>
      new Resource(signal =>
        ask(api.GET('/runs/picture', { params: { query: asked.current }, signal }))
      ),
    []
  );
  const { path, runs, kind, theme, axes } = query;
  useEffect(() => void picture.load(), [picture, path, runs, kind, theme, axes]);
  useEffect(() => () => picture.dispose(), [picture]);
  return picture;
}

interface IAxesProps {
  readonly picture: IPicture;
  readonly setAxes: (axes: readonly string[]) => void;
  readonly trans: TranslationBundle;
}

function TwoAxes(props: IAxesProps): JSX.Element {
  const { picture, setAxes, trans } = props;
  const [across, up] = picture.axes;
  return (
    <span className="jp-Workbench-axes">
      <Axis
        label={trans.__('Across')}
        value={across}
        known={picture.available}
        choose={axis => setAxes([axis, up])}
      />
      ×
      <Axis
        label={trans.__('Up')}
        value={up}
        known={picture.available}
        choose={axis => setAxes([across, axis])}
      />
    </span>
  );
}

function Axis(props: {
  readonly label: string;
  readonly value: string;
  readonly known: readonly string[];
  readonly choose: (axis: string) => void;
}): JSX.Element {
  const { label, value, known, choose } = props;
  return (
    <select
      aria-label={label}
      title={label}
      value={value}
      onChange={event => choose(event.target.value)}
    >
      {known.map(axis => (
        <option key={axis} value={axis}>
          {axis.slice(axis.indexOf('.') + 1)}
        </option>
      ))}
    </select>
  );
}

function ManyAxes(props: IAxesProps): JSX.Element {
  const { picture, setAxes, trans } = props;
  const { axes } = picture;
  const others = picture.available.filter(axis => !axes.includes(axis));
  return (
    <span className="jp-Workbench-axes">
      <select
        aria-label={trans.__('Add an axis')}
        value=""
        onChange={event => setAxes([...axes, event.target.value])}
      >
        <option value="">{trans.__('Add…')}</option>
        {others.map(axis => (
          <option key={axis} value={axis}>
            {axis.slice(axis.indexOf('.') + 1)}
          </option>
        ))}
      </select>
      <select
        aria-label={trans.__('Take an axis away')}
        value=""
        disabled={axes.length <= 2}
        onChange={event => setAxes(axes.filter(axis => axis !== event.target.value))}
      >
        <option value="">{trans.__('Take away…')}</option>
        {axes.map(axis => (
          <option key={axis} value={axis}>
            {axis.slice(axis.indexOf('.') + 1)}
          </option>
        ))}
      </select>
    </span>
  );
}

function useTheme(): 'light' | 'dark' {
  return useSyncExternalStore(
    listener => {
      const observer = new MutationObserver(listener);
      observer.observe(document.body, { attributeFilter: [THEME] });
      return () => observer.disconnect();
    },
    () => (document.body.getAttribute(THEME) === 'false' ? 'dark' : 'light')
  );
}
