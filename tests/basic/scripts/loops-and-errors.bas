// A script that a careful programmer with another past wrote.
let retries = 0;
let ok = false;
let data = null;

do while !ok && retries < 3
    try
        data = get "https://api.example.com/flaky";
        ok = true;
    catch e
        retries += 1;
        print "attempt ${retries}: ${e}";
        wait 2;
    end try
loop

if (ok == true) then
    let names = [];
    for each item in data.items
        if (item?.name != null && item.name.length > 0) then
            names.push(item.name.trim().toLowerCase());
        end if
    next
    names = unique(names);
    talk 'Found: ' + names.join(', ');
else
    talk "Gave up after " + retries + " attempts.";
end if
assert retries <= 3, "too many attempts";
