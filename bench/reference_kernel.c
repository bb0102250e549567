/* The yardstick of bench/: one fused pass, by hand. The work of a warm run of sma-cross: crossings on integer
 * ticks, market fills at the next open, the account, all fill columns, equity, S1..S4, downside, drawdown.
 * Compiled by the benchmark with `cc -O3 -ffp-contract=off`, as the engine's own kernel is. */

#include <math.h>
#include <stdint.h>

typedef struct {
    double s1, s2, s3, s4, d2, max_drawdown, fees, slippage, turnover, final_equity;
    int64_t fills, exposure;
} outcome;

typedef struct {
    int64_t *bar, *order;
    int8_t *side;
    double *quantity, *price, *fee;
} fill_columns;

static void record(outcome *out, const fill_columns *fills, int64_t bar, int64_t order, int8_t side,
                   double quantity, double price, double fee, double base) {
    int64_t k = out->fills++;
    fills->bar[k] = bar;
    fills->order[k] = order;
    fills->side[k] = side;
    fills->quantity[k] = quantity;
    fills->price[k] = price;
    fills->fee[k] = fee;
    out->fees += fee;
    out->slippage += quantity * fabs(price - base);
    out->turnover += quantity * price;
}

void reference_run(int64_t n, const int64_t *ticks, const double *open, const double *close, int64_t fast,
                   int64_t slow, int64_t shorts, double initial_cash, double rate, double slippage,
                   const fill_columns *fills, double *equity, outcome *out) {
    double cash = initial_cash, position = 0.0, before = initial_cash, peak = initial_cash, low = initial_cash;
    int64_t fast_sum = 0, slow_sum = 0, difference = 0, order = 0;
    int pending = 0, target = 0;
    *out = (outcome){0};
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
                record(out, fills, i, order, side, quantity, price, fee, base);
            }
            if (target != 0 && cash > 0.0) {
                double price = base * (target > 0 ? 1.0 + slippage : 1.0 - slippage);
                double quantity = cash / (price * (1.0 + rate)), fee = (rate * quantity) * price;
                cash = target > 0 ? 0.0 : (cash + quantity * price) - fee;
                position = target > 0 ? quantity : -quantity;
                record(out, fills, i, order, (int8_t)target, quantity, price, fee, base);
            }
            pending = 0;
        }
        double now = cash + position * close[i];
        equity[i] = now;
        out->exposure += position != 0.0;
        if (now != before) {
            double r = now / before - 1.0, r2 = r * r;
            out->s1 += r;
            out->s2 += r2;
            out->s3 += r2 * r;
            out->s4 += r2 * r2;
            if (r < 0.0) out->d2 += r2;
            before = now;
        }
        if (now > peak) {
            if (1.0 - low / peak > out->max_drawdown) out->max_drawdown = 1.0 - low / peak;
            peak = low = now;
        } else if (now < low) {
            low = now;
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
    if (1.0 - low / peak > out->max_drawdown) out->max_drawdown = 1.0 - low / peak;
    out->final_equity = before;
}
