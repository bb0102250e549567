/* The yardstick of bench/sweep.py: many pairs of sma-cross over the same candles, by hand, as a sweep in C is
 * written for speed. Averages of a block of bars are shared by all pairs; crossings become bit masks; 64 pairs
 * go through a bar together, so that the compiler can use vectors. The work: final equity, maximum drawdown,
 * S1..S4, downside, fees, slippage, turnover, fills, trades and bars in position of each pair.
 * Compiled by the benchmark with `cc -O3 -march=native -ffp-contract=off`. */

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LANES = 64, BLOCK = 1024 };

typedef struct {
    double final_equity, max_drawdown, s1, s2, s3, s4, d2, fees, slippage, turnover;
    int64_t fills, trades, exposure;
} outcome;

typedef struct {
    double cash[LANES], position[LANES], equity[LANES], s1[LANES], s2[LANES], s3[LANES], s4[LANES], d2[LANES];
    double peak[LANES], low[LANES], drawdown[LANES], fees[LANES], slippage[LANES], turnover[LANES];
    int64_t fills[LANES], trades[LANES], exposure[LANES], entry[LANES];
} lanes;

typedef struct {
    int64_t bars, pairs, shorts;
    const int64_t *ticks, *fast, *slow;
    const double *open, *close;
    double cash, rate, slippage_rate;
    outcome *out;
} work;

typedef struct {
    const work *all;
    int64_t first, last;
} share;

typedef struct {
    int32_t next;
    int8_t lane, target;
} event;

static void pay(lanes *l, int k, double quantity, double price, double fee, double base) {
    l->fees[k] += fee;
    l->slippage[k] += quantity * fabs(price - base);
    l->turnover[k] += quantity * price;
    l->fills[k]++;
}

static void act(const work *w, lanes *l, int k, int target, double base, int64_t bar) {
    double position = l->position[k];
    if ((target > 0) == (position > 0.0) && (target < 0) == (position < 0.0)) return;
    if (position != 0.0) {
        double price = base * (position > 0.0 ? 1.0 - w->slippage_rate : 1.0 + w->slippage_rate);
        double quantity = fabs(position), fee = (w->rate * quantity) * price;
        l->cash[k] = (l->cash[k] + position * price) - fee;
        l->position[k] = 0.0;
        l->trades[k]++;
        l->exposure[k] += bar - l->entry[k];
        pay(l, k, quantity, price, fee, base);
    }
    if (target != 0 && l->cash[k] > 0.0) {
        double price = base * (target > 0 ? 1.0 + w->slippage_rate : 1.0 - w->slippage_rate);
        double quantity = l->cash[k] / (price * (1.0 + w->rate)), fee = (w->rate * quantity) * price;
        l->cash[k] = target > 0 ? 0.0 : (l->cash[k] + quantity * price) - fee;
        l->position[k] = target > 0 ? quantity : -quantity;
        l->entry[k] = bar;
        pay(l, k, quantity, price, fee, base);
    }
}

static void mark(lanes *restrict l, double close) {
    int higher = 0;
    for (int k = 0; k < LANES; k++) {
        double now = l->cash[k] + l->position[k] * close;
        double r = now / l->equity[k] - 1.0, r2 = r * r;
        l->s1[k] += r;
        l->s2[k] += r2;
        l->s3[k] += r2 * r;
        l->s4[k] += r2 * r2;
        l->d2[k] += r < 0.0 ? r2 : 0.0;
        l->low[k] = now < l->low[k] ? now : l->low[k];
        l->equity[k] = now;
        higher |= now > l->peak[k];
    }
    if (!higher) return;
    for (int k = 0; k < LANES; k++) {
        double now = l->equity[k], fall = 1.0 - l->low[k] / l->peak[k];
        int above = now > l->peak[k];
        l->drawdown[k] = above && fall > l->drawdown[k] ? fall : l->drawdown[k];
        l->low[k] = above ? now : l->low[k];
        l->peak[k] = above ? now : l->peak[k];
    }
}

/* Averages at bars begin - 1 .. end - 1, one row of BLOCK + 8 a window; 0 where not defined. */
static void average(const work *w, const double *sum, int64_t windows, const int64_t *window, int64_t begin,
                    int64_t end, double *table) {
    for (int64_t k = 0; k < windows; k++) {
        double length = (double)window[k], *row = table + k * (BLOCK + 8);
        int64_t from = begin - 1 < window[k] - 1 ? window[k] - 1 : begin - 1;
        for (int64_t j = begin - 1; j < from && j < end; j++) row[j - (begin - 1)] = 0.0;
        for (int64_t j = from; j < end; j++)
            row[j - (begin - 1)] = (sum[j + 1] - sum[j + 1 - window[k]]) / length;
    }
    (void)w;
}

static void *carry(void *argument) {
    const share *part = argument;
    const work *w = part->all;
    int64_t sets = part->last - part->first, groups = (sets + LANES - 1) / LANES, windows = 0, most = 0;
    for (int64_t k = part->first; k < part->last; k++) most = w->slow[k] > most ? w->slow[k] : most;
    int64_t *place = malloc((most + 1) * sizeof *place), *window = malloc((most + 1) * sizeof *window);
    for (int64_t k = 0; k <= most; k++) place[k] = -1;
    for (int64_t k = part->first; k < part->last; k++) {
        if (place[w->fast[k]] < 0) { place[w->fast[k]] = windows; window[windows++] = w->fast[k]; }
        if (place[w->slow[k]] < 0) { place[w->slow[k]] = windows; window[windows++] = w->slow[k]; }
    }
    double *sum = malloc((w->bars + 1) * sizeof *sum);
    sum[0] = 0.0;
    for (int64_t i = 0; i < w->bars; i++) sum[i + 1] = sum[i] + (double)w->ticks[i];
    double *table = aligned_alloc(64, windows * (BLOCK + 8) * sizeof *table);
    memset(table, 0, windows * (BLOCK + 8) * sizeof *table);
    lanes *all = aligned_alloc(64, groups * sizeof *all);
    memset(all, 0, groups * sizeof *all);
    for (int64_t g = 0; g < groups; g++)
        for (int k = 0; k < LANES; k++)
            all[g].cash[k] = all[g].equity[k] = all[g].peak[k] = all[g].low[k] = w->cash;
    event *events = malloc((BLOCK + 1) * LANES * sizeof *events);
    int32_t *head = malloc((BLOCK + 1) * sizeof *head), *carried = malloc(sets * sizeof *carried);
    memset(carried, 0, sets * sizeof *carried);
    /* A decision at bar i fills at bar i + 1: what the last bar of a block decided is carried over. */
    for (int64_t begin = 0; begin < w->bars; begin += BLOCK) {
        int64_t end = begin + BLOCK < w->bars ? begin + BLOCK : w->bars;
        average(w, sum, windows, window, begin ? begin : 1, end, table);
        for (int64_t g = 0; g < groups; g++) {
            int32_t count = 0;
            memset(head, -1, (BLOCK + 1) * sizeof *head);
            for (int k = 0; k < LANES && g * LANES + k < sets; k++) {
                int64_t set = g * LANES + k, slow_window = w->slow[part->first + set], row = begin ? begin - 1 : 0;
                const double *fast = table + place[w->fast[part->first + set]] * (BLOCK + 8);
                const double *slow = table + place[slow_window] * (BLOCK + 8);
                if (carried[set]) {
                    events[count] = (event){-1, (int8_t)k, (int8_t)(carried[set] > 1 ? 1 : w->shorts ? -1 : 0)};
                    events[count].next = head[0];
                    head[0] = count++;
                    carried[set] = 0;
                }
                for (int64_t at = 0; row + at + 1 < end; at += 64) {
                    uint64_t above = 0, below = 0, known = ~0ull;
                    for (int b = 0; b < 64; b++) {
                        above |= (uint64_t)(fast[at + 1 + b] > slow[at + 1 + b]) << b;
                        below |= (uint64_t)(fast[at + 1 + b] < slow[at + 1 + b]) << b;
                    }
                    int64_t rows = end - (row + at + 1), undefined = slow_window - (row + at + 1);
                    if (rows < 64) known = (1ull << rows) - 1;
                    if (undefined >= 64) known = 0;
                    else if (undefined > 0) known &= ~0ull << undefined;
                    uint64_t up = above & ~(above << 1 | (fast[at] > slow[at])) & known;
                    uint64_t down = below & ~(below << 1 | (fast[at] < slow[at])) & known;
                    for (uint64_t some = up | down; some; some &= some - 1) {
                        int b = __builtin_ctzll(some);
                        int64_t fill = row + at + 1 + b + 1 - begin;
                        int rises = up >> b & 1;
                        if (fill >= end - begin) {
                            carried[set] = rises ? 2 : 1;
                            continue;
                        }
                        events[count] = (event){head[fill], (int8_t)k, (int8_t)(rises ? 1 : w->shorts ? -1 : 0)};
                        head[fill] = count++;
                    }
                }
            }
            lanes local = all[g];
            for (int64_t i = begin; i < end; i++) {
                for (int32_t e = head[i - begin]; e >= 0; e = events[e].next)
                    act(w, &local, events[e].lane, events[e].target, w->open[i], i);
                mark(&local, w->close[i]);
            }
            all[g] = local;
        }
    }
    for (int64_t set = 0; set < sets; set++) {
        const lanes *l = all + set / LANES;
        int k = set % LANES;
        double fall = 1.0 - l->low[k] / l->peak[k];
        w->out[part->first + set] = (outcome){
            l->equity[k], fall > l->drawdown[k] ? fall : l->drawdown[k], l->s1[k], l->s2[k], l->s3[k], l->s4[k],
            l->d2[k], l->fees[k], l->slippage[k], l->turnover[k], l->fills[k], l->trades[k],
            l->exposure[k] + (l->position[k] != 0.0 ? w->bars - l->entry[k] : 0)};
    }
    free(place), free(window), free(sum), free(table), free(all), free(events), free(head), free(carried);
    return NULL;
}

void sweep(const work *w, int64_t threads) {
    pthread_t ids[64];
    share parts[64];
    for (int64_t t = 0; t < threads; t++) {
        parts[t] = (share){w, w->pairs * t / threads, w->pairs * (t + 1) / threads};
        pthread_create(&ids[t], NULL, carry, &parts[t]);
    }
    for (int64_t t = 0; t < threads; t++) pthread_join(ids[t], NULL);
}
