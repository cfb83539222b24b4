/**
 * Small pictures of stored numbers. What they show is said in words beside them, or in their label.
 */
import React from 'react';

import { Metric } from '../../api/types';
import { round } from '../../ui/format';

export interface IBar {
  readonly label: string;
  readonly count: number;
}

const HEIGHT = 40;

/** Draw values window by window; a window without one is a gap. */
export function Sparkline(props: {
  readonly points: readonly (Metric | null)[];
  readonly label: string;
}): JSX.Element | null {
  const { points, label } = props;
  const known = points.filter(isNumber);
  if (known.length < 2) {
    return null;
  }
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const across = 100 / (points.length - 1);
  const height = (point: number): number =>
    14 - (12 * (point - low)) / (high - low || 1);
  let pen = 'M';
  const path = points.map((point, index) => {
    if (!isNumber(point)) {
      pen = 'M';
      return '';
    }
    const step = `${pen}${(index * across).toFixed(1)} ${height(point).toFixed(1)}`;
    pen = 'L';
    return step;
  });
  return (
    <svg
      className="jp-Workbench-sparkline"
      role="img"
      aria-label={label}
      viewBox="0 0 100 16"
      preserveAspectRatio="none"
    >
      <path d={path.join('')} />
    </svg>
  );
}

/** Draw how often numbers lay between edges, and the edges below. */
export function Bars(props: {
  readonly bars: readonly IBar[];
  readonly from: Metric;
  readonly to: Metric;
  readonly label: string;
}): JSX.Element {
  const { bars, from, to, label } = props;
  const most = Math.max(...bars.map(bar => bar.count), 1);
  return (
    <figure className="jp-Workbench-histogram">
      <svg
        role="img"
        aria-label={label}
        viewBox={`0 0 ${bars.length} ${HEIGHT}`}
        preserveAspectRatio="none"
      >
        {bars.map((bar, index) => (
          <g key={index}>
            <title>{bar.label}</title>
            <rect
              className="jp-Workbench-histogramRoom"
              x={index}
              y={0}
              width={1}
              height={HEIGHT}
            />
            <rect
              className="jp-Workbench-histogramBar"
              x={index + 0.05}
              y={HEIGHT - (HEIGHT * bar.count) / most}
              width={0.9}
              height={(HEIGHT * bar.count) / most}
            />
          </g>
        ))}
      </svg>
      <figcaption aria-hidden="true">
        <span>{round(from)}</span>
        <span>{round(to)}</span>
      </figcaption>
    </figure>
  );
}

/** A row for each value: what it is, a bar, and its share. */
export function Shares(props: {
  readonly bars: readonly IBar[];
  readonly total: number;
  readonly label: string;
}): JSX.Element {
  const { bars, total, label } = props;
  const most = Math.max(...bars.map(bar => bar.count), 1);
  return (
    <ol className="jp-Workbench-shares" aria-label={label}>
      {bars.map(bar => (
        <li key={bar.label} title={`${bar.label}: ${bar.count.toLocaleString()}`}>
          <span className="jp-Workbench-shareName">{bar.label}</span>
          <span className="jp-Workbench-shareRoom" aria-hidden="true">
            <span style={{ width: `${(100 * bar.count) / most}%` }} />
          </span>
          <span className="jp-Workbench-shareCount">{percent(bar.count, total)}</span>
        </li>
      ))}
    </ol>
  );
}

/** Write a share of a total. */
export function percent(count: number, total: number): string {
  const share = total ? count / total : 0;
  return share.toLocaleString(undefined, {
    style: 'percent',
    maximumFractionDigits: share < 0.1 ? 1 : 0
  });
}

export function isNumber(point: Metric | null): point is number {
  return typeof point === 'number';
}
