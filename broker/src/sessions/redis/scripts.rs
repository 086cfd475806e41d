//! What Redis decides by itself: one script an operation, each on one key.

/// When a value, or an entry of an index, ends. Exact: microseconds of the next 250 years fit into the mantissa of a double.
macro_rules! with_expiry {
    ($script:literal) => {
        concat!(
            "local function ends(v, at) local n = 0 \
             for i = at, at + 7 do n = n * 256 + string.byte(v, i) end return n end ",
            "local v, now = redis.call('GET', KEYS[1]), tonumber(ARGV[1]) ",
            $script
        )
    };
}

/// Keys: 1 the record. Arguments: now, the new value, its lifetime in milliseconds.
pub(super) const INSERT_ONCE: &str = with_expiry!(
    "if v and ends(v, 1) > now then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
);

/// Keys: 1 the record. Arguments: now, the new value, its lifetime in milliseconds, the payload that must be there.
pub(super) const COMPARE_AND_SWAP: &str = with_expiry!(
    "if not v or ends(v, 1) <= now or string.sub(v, 9) ~= ARGV[4] then return 0 end \
     redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) return 1"
);

/// Keys: 1 the counter. Arguments: now, the end of a new window as it is stored, what is left of it in milliseconds.
pub(super) const COUNT: &str = with_expiry!(
    "local head, n = ARGV[2], 1 \
     if v and ends(v, 1) > now then head, n = string.sub(v, 1, 8), tonumber(string.sub(v, 9)) + 1 end \
     redis.call('SET', KEYS[1], head .. string.format('%.0f', n), 'PX', ARGV[3]) return n"
);

/// Keys: 1 the index, stored as its own end, which is its last member's, and what `sessions/index.rs` describes.
/// Arguments: now, a member, its end as it is stored or nothing where it is to go, most members; and for the lifetime: now
/// by the clock, the longest, and how much longer Redis keeps it, the last two in milliseconds. Answers who had to go.
pub(super) const INDEX: &str = with_expiry!(
    "local kept, gone = {}, false \
     if v then \
       if (#v - 8) % 40 ~= 0 then return redis.error_reply('ERR this is no index of ours') end \
       for at = 9, #v, 40 do \
         if ends(v, at) > now and string.sub(v, at + 8, at + 39) ~= ARGV[2] then \
           kept[#kept + 1] = string.sub(v, at, at + 39) \
         end \
       end \
     end \
     if ARGV[3] ~= '' then \
       if #kept >= tonumber(ARGV[4]) then \
         local first = 1 \
         for i = 2, #kept do if ends(kept[i], 1) < ends(kept[first], 1) then first = i end end \
         gone = string.sub(table.remove(kept, first), 9) \
       end \
       kept[#kept + 1] = ARGV[3] .. ARGV[2] \
     end \
     if #kept == 0 then \
       if v then redis.call('GETDEL', KEYS[1]) end \
       return gone \
     end \
     local last = 1 \
     for i = 2, #kept do if ends(kept[i], 1) > ends(kept[last], 1) then last = i end end \
     local left = math.max((ends(kept[last], 1) - tonumber(ARGV[5])) / 1000, 0) \
     left = math.min(left, tonumber(ARGV[6])) + tonumber(ARGV[7]) \
     redis.call('SET', KEYS[1], string.sub(kept[last], 1, 8) .. table.concat(kept), 'PX', string.format('%.0f', left)) \
     return gone"
);
