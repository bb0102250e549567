/* The yardstick of bench/: by hand, the whole work of a warm run of sma-cross in one fused pass: crossings on
 * integer ticks, market fills at the next open, the account; all fill columns, equity, cash and position; trades
 * with their excursions; S1..S4, downside, drawdown, daily returns and the sums over trades that metrics need.
 * Sums are kept in locals and the downside without a branch: losses come at random, so that a branch there costs
 * half of the whole. Compiled by the benchmark with `cc -O3 -ffp-contract=off`, as the engine's own kernel is. */

#include <math.h>
#include <stdint.h>

#define DAY_MS 86400000

typedef struct {
    double s1, s2, s3, s4, d2, max_drawdown, fees, slippage, turnover, final_equity, equity_sum, daily_s1, daily_s2,
        gained, lost, total, best, worst;
    int64_t fills, exposure, trades, daily_returns, wins, losses, held;
} outcome;

typedef struct {
    int64_t *bar, *order;
    int8_t *side, *reason;
    double *quantity, *price, *fee;
} fill_columns;

typedef struct {
    int8_t *side, *reason;
    int64_t *entry_bar, *exit_bar;
    double *entry_price, *exit_price, *quantity, *fees, *pnl, *mae, *mfe;
} trade_columns;

static void record(outcome *out, const fill_columns *fills, int64_t bar, int64_t order, int8_t side,
                   double quantity, double price, double fee, double base) {
    int64_t k = out->fills++;
    fills->bar[k] = bar;
    fills->order[k] = order;
    fills->side[k] = side;
    fills->reason[k] = 0;
    fills->quantity[k] = quantity;
    fills->price[k] = price;
    fills->fee[k] = fee;
    out->fees += fee;
    out->slippage += quantity * fabs(price - base);
    out->turnover += quantity * price;
}

static void close_trade(outcome *out, const fill_columns *fills, const trade_columns *trades, const double *high,
                        const double *low) {
    int64_t exit = out->fills - 1, entry = exit - 1, k = out->trades++;
    double entered = fills->price[entry], left = fills->price[exit], side = fills->side[entry];
    double highest = entered > left ? entered : left, lowest = entered > left ? left : entered;
    for (int64_t i = fills->bar[entry]; i < fills->bar[exit]; i++) {
        highest = high[i] > highest ? high[i] : highest;
        lowest = low[i] < lowest ? low[i] : lowest;
    }
    trades->side[k] = fills->side[entry];
    trades->reason[k] = fills->reason[exit];
    trades->entry_bar[k] = fills->bar[entry];
    trades->exit_bar[k] = fills->bar[exit];
    trades->entry_price[k] = entered;
    trades->exit_price[k] = left;
    trades->quantity[k] = fills->quantity[entry];
    trades->fees[k] = fills->fee[entry] + fills->fee[exit];
    double pnl = (side * fills->quantity[entry] * (left - entered) - fills->fee[entry]) - fills->fee[exit];
    trades->pnl[k] = pnl;
    trades->mae[k] = (side > 0 ? entered - lowest : highest - entered) / entered;
    trades->mfe[k] = (side > 0 ? highest - entered : entered - lowest) / entered;
    out->total += pnl;
    out->held += fills->bar[exit] - fills->bar[entry];
    if (pnl > 0.0) {
        out->wins++;
        out->gained += pnl;
    } else if (pnl < 0.0) {
        out->losses++;
        out->lost += pnl;
    }
    if (k == 0 || pnl > out->best) out->best = pnl;
    if (k == 0 || pnl < out->worst) out->worst = pnl;
}

void reference_run(int64_t n, const int64_t *ts, const int64_t *ticks, const double *open, const double *high,
                   const double *low, const double *close, int64_t fast, int64_t slow, int64_t shorts,
                   double initial_cash, double rate, double slippage, const fill_columns *fills,
                   const trade_columns *trades, double *equity, double *cash_at, double *position_at, outcome *out) {
    double cash = initial_cash, position = 0.0, before = initial_cash, peak = initial_cash, bottom = initial_cash;
    double s1 = 0.0, s2 = 0.0, s3 = 0.0, s4 = 0.0, d2 = 0.0, drawdown = 0.0, equity_sum = 0.0, closed = 0.0;
    int64_t fast_sum = 0, slow_sum = 0, difference = 0, order = 0, exposure = 0, day_end = (ts[0] / DAY_MS + 1) * DAY_MS;
    int pending = 0, target = 0;
    outcome sums = {0};
    for (int64_t i = 0; i < n; i++) {
        if (pending) {
            double base = open[i];
            order++;
            if (position != 0.0) {
                int8_t side = position > 0.0 ? -1 : 1;
                double quantity = fabs(position), price = base * (side > 0 ? 1.0 + slippage : 1.0 - slippage);
                double fee = (rate * quantity) * price;
                cash = (cash + position * price) - fee;
                position = 0.0;
                record(&sums, fills, i, order, side, quantity, price, fee, base);
                close_trade(&sums, fills, trades, high, low);
            }
            if (target != 0 && cash > 0.0) {
                double price = base * (target > 0 ? 1.0 + slippage : 1.0 - slippage);
                double quantity = cash / (price * (1.0 + rate)), fee = (rate * quantity) * price;
                cash = target > 0 ? 0.0 : (cash + quantity * price) - fee;
                position = target > 0 ? quantity : -quantity;
                record(&sums, fills, i, order, (int8_t)target, quantity, price, fee, base);
            }
            pending = 0;
        }
        double now = cash + position * close[i];
        equity[i] = now;
        cash_at[i] = cash;
        position_at[i] = position;
        exposure += position != 0.0;
        equity_sum += now;
        if (now != before) {
            double r = now / before - 1.0, r2 = r * r;
            s1 += r;
            s2 += r2;
            s3 += r2 * r;
            s4 += r2 * r2;
            d2 += r < 0.0 ? r2 : 0.0;
            before = now;
        }
        if (now > peak) {
            if (1.0 - bottom / peak > drawdown) drawdown = 1.0 - bottom / peak;
            peak = bottom = now;
        } else if (now < bottom) {
            bottom = now;
        }
        if (i + 1 == n || ts[i + 1] >= day_end) {
            if (closed > 0.0) {
                double r = now / closed - 1.0;
                sums.daily_s1 += r;
                sums.daily_s2 += r * r;
                sums.daily_returns++;
            }
            closed = now;
            while (i + 1 < n && ts[i + 1] >= day_end) day_end += DAY_MS;
        }
        fast_sum += ticks[i] - (i >= fast ? ticks[i - fast] : 0);
        slow_sum += ticks[i] - (i >= slow ? ticks[i - slow] : 0);
        if (i >= slow - 1) {
            int64_t now_difference = fast_sum * slow - slow_sum * fast;
            if (i >= slow) {
                if (now_difference > 0 && difference <= 0) {
                    pending = position <= 0.0;
                    target = 1;
                } else if (now_difference < 0 && difference >= 0) {
                    pending = shorts ? position >= 0.0 : position > 0.0;
                    target = shorts ? -1 : 0;
                }
            }
            difference = now_difference;
        }
    }
    if (1.0 - bottom / peak > drawdown) drawdown = 1.0 - bottom / peak;
    sums.s1 = s1, sums.s2 = s2, sums.s3 = s3, sums.s4 = s4, sums.d2 = d2;
    sums.max_drawdown = drawdown, sums.equity_sum = equity_sum, sums.exposure = exposure, sums.final_equity = before;
    *out = sums;
}
